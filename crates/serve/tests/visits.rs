//! Requests as a browser makes them, and as nobody should.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serve::{Server, Shelf, Token};
use track::SweepDir;

struct Reply {
    status: u16,
    head: String,
    body: String,
}

fn ask(port: u16, method: &str, target: &str) -> Reply {
    ask_as(port, method, target, &format!("Host: localhost:{port}"))
}

fn ask_as(port: u16, method: &str, target: &str, headers: &str) -> Reply {
    let said = send(port, &format!("{method} {target} HTTP/1.1\r\n{headers}\r\n\r\n"));
    let (head, body) = said.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
    Reply { status, head: head.to_string(), body: body.to_string() }
}

/// All that comes back; nothing where the connection is cut.
fn send(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes));
    String::from_utf8(bytes).expect("text")
}

/// A sweep of one cell with two runs planned, none begun.
fn store(runs: &Path) {
    let sweep = runs.join("lambda");
    fs::create_dir_all(&sweep).expect("a folder");
    fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan.jsonl"),
        sweep.join("plan.jsonl"),
    )
    .expect("a plan");
    fs::write(runs.join("secret.txt"), "secret").expect("a file");
}

#[test]
fn only_who_has_the_token_sees_and_only_reports() {
    let runs = tempfile::tempdir().expect("a folder");
    store(runs.path());
    // As a scheduler has it.
    let _held = SweepDir::new(runs.path(), "lambda").and_then(|it| it.lock()).expect("it is free");
    let token = Token::random().expect("random bits");
    let server = Server::bind(0, token.clone()).expect("a free port");
    let (port, over) = (server.port(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let shelf = Shelf::new(runs.path().to_path_buf());
        let is_over = || over.load(Ordering::Relaxed);
        let running = scope.spawn(move || server.run(shelf, is_over));
        // Also where an assertion fails: else the thread would be waited for.
        let _end = Ends(&over);
        visit(port, token.as_str());
        over.store(true, Ordering::Relaxed);
        running.join().expect("it does not panic").expect("it ends well");
    });
}

struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn visit(port: u16, token: &str) {
    let own = |path: &str| format!("/{token}/{path}");
    let stranger = ask(port, "GET", "/lambda/");
    assert_eq!(stranger.status, 403);
    assert!(!stranger.body.contains("lambda"), "{}", stranger.body);

    let list = ask(port, "GET", &own(""));
    assert_eq!(list.status, 200);
    assert!(list.body.contains("href=\"lambda/\""), "{}", list.body);
    let page = ask(port, "GET", &own("lambda/"));
    assert_eq!(page.status, 200);
    assert!(page.body.contains("id=\"live\""), "a sweep that is at work is live");
    for words in ["no-store", "nosniff", "no-referrer", "DENY", "same-origin"] {
        assert!(page.head.contains(words), "{words}: {}", page.head);
    }
    let stamp = page.body.split("data-stamp=\"").nth(1).and_then(|it| it.split('"').next());
    let news = ask(port, "GET", &own("lambda/live.js?1"));
    assert!(news.body.contains(stamp.expect("a stamp")), "{}", news.body);
    assert!(ask(port, "GET", &own("lambda/summary.md")).body.contains("0 of 2"));
    assert!(ask(port, "GET", &own("lambda/data.json")).body.starts_with('{'));
    assert!(ask(port, "HEAD", &own("lambda/")).body.is_empty());

    for path in [
        "secret.txt",
        "lambda",
        "lambda/plan.jsonl",
        "lambda/../secret.txt",
        "lambda/%2e%2e/secret.txt",
        "../secret.txt",
        "/secret.txt",
        "other/",
        "lambda/images/../../plan.jsonl",
    ] {
        let reply = ask(port, "GET", &own(path));
        assert_eq!(reply.status, 404, "{path}: {}", reply.head);
        assert!(!reply.body.contains("secret"), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(ask(port, method, &own("lambda/")).status, 405, "{method}");
    }
    assert_eq!(ask_as(port, "GET", &own(""), "Host: evil.example").status, 421);
    assert_eq!(ask_as(port, "GET", &own(""), "Accept: */*").status, 400);
    assert_eq!(ask_as(port, "GET", &own(""), "Host: localhost\r\nHost: localhost").status, 400);

    // What would keep another server busy, or take its memory.
    let slow = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    let mut half = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    half.write_all(b"GET / HT").expect("sent");
    for length in ["5000", "9000000000000000000"] {
        let refused =
            ask_as(port, "POST", "/", &format!("Host: localhost\r\nContent-Length: {length}"));
        assert_eq!(refused.status, 405, "{length}");
    }
    assert!(send(port, &format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(40_000))).len() < 1000);
    assert!(send(port, "\u{1}\u{2}\r\n\r\n").starts_with("HTTP/1.1 400"));
    assert_eq!(ask(port, "GET", &own("")).status, 200, "it is still there");
    drop((slow, half));
}
