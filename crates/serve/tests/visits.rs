//! Requests as a browser makes them, and as nobody should.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serve::{Server, Shelf, Token};

struct Reply {
    status: u16,
    head: String,
    body: String,
}

fn ask(port: u16, method: &str, target: &str, cookie: &str) -> Reply {
    ask_as(port, method, target, &format!("Host: localhost:{port}\r\nCookie: {cookie}"))
}

fn ask_as(port: u16, method: &str, target: &str, headers: &str) -> Reply {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    let request = format!("{method} {target} HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an answer");
    let said = String::from_utf8(bytes).expect("text");
    let (head, body) = said.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
    Reply { status, head: head.to_string(), body: body.to_string() }
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
    let token = Token::random().expect("random bits");
    let server = Server::bind(0, token.clone()).expect("a free port");
    let (port, over) = (server.port(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let mut shelf = Shelf::new(runs.path().to_path_buf());
        let is_over = || over.load(Ordering::Relaxed);
        let running = scope.spawn(move || server.run(&mut shelf, is_over));
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
    let cookie = format!("cyclelab_{port}={token}");
    let stranger = ask(port, "GET", "/lambda/", "");
    assert_eq!(stranger.status, 403);
    assert!(!stranger.body.contains("lambda"), "{}", stranger.body);

    let first = ask(port, "GET", &format!("/lambda/?token={token}"), "");
    assert_eq!(first.status, 303);
    let kept = format!("Set-Cookie: {cookie}; Path=/; HttpOnly; SameSite=Strict\r");
    for words in [kept.as_str(), "Location: /lambda/\r"] {
        assert!(first.head.contains(words), "{words}: {}", first.head);
    }
    let away = ask(port, "GET", &format!("//evil.example/?token={token}"), "");
    assert!(away.head.contains("Location: /evil.example/"), "{}", away.head);

    let list = ask(port, "GET", "/", &cookie);
    assert_eq!(list.status, 200);
    assert!(list.body.contains("href=\"lambda/\""), "{}", list.body);
    let page = ask(port, "GET", "/lambda/", &cookie);
    assert_eq!(page.status, 200);
    assert!(page.body.contains("id=\"live\""), "a sweep that is not over is live");
    for words in ["no-store", "nosniff", "no-referrer", "DENY", "same-origin"] {
        assert!(page.head.contains(words), "{words}: {}", page.head);
    }
    let stamp = page.body.split("data-stamp=\"").nth(1).and_then(|it| it.split('"').next());
    let news = ask(port, "GET", "/lambda/live.js?1", &cookie);
    assert!(news.body.contains(stamp.expect("a stamp")), "{}", news.body);
    assert!(ask(port, "GET", "/lambda/summary.md", &cookie).body.contains("0 of 2"));
    assert!(ask(port, "GET", "/lambda/data.json", &cookie).body.starts_with('{'));
    assert!(ask(port, "HEAD", "/lambda/", &cookie).body.is_empty());

    for target in [
        "/secret.txt",
        "/lambda",
        "/lambda/plan.jsonl",
        "/lambda/../secret.txt",
        "/lambda/%2e%2e/secret.txt",
        "/../secret.txt",
        "//secret.txt",
        "/other/",
        "secret.txt",
    ] {
        let reply = ask(port, "GET", target, &cookie);
        assert!(matches!(reply.status, 400 | 404), "{target}: {}", reply.head);
        assert!(!reply.body.contains("secret"), "{target}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(ask(port, method, "/lambda/", &cookie).status, 405, "{method}");
    }
    let rebound = ask_as(port, "GET", "/", &format!("Host: evil.example\r\nCookie: {cookie}"));
    assert_eq!(rebound.status, 421);
}
