//! Looking at a sweep while it is trained and after: the report that refreshes itself, `watch`,
//! `serve`, `compare`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::lab::{Lab, Said, tiny};
use crate::older_stores::store_of_an_older_release;
use crate::victim::{signal, until};

fn start(lab: &Lab, args: &[&str]) -> Child {
    let mut command = lab.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

fn said(child: Child) -> Said {
    Said::from(child.wait_with_output().expect("the program ends"))
}

#[test]
fn a_report_is_live_while_its_sweep_is() {
    let lab = Lab::new();
    lab.write("tiny.toml", &tiny(300));
    let sweep = start(&lab, &["sweep", "tiny.toml"]);
    let page = lab.path("reports/tiny/index.html");
    let news = lab.path("reports/tiny/live.js");
    until("the live page is there", || news.is_file());
    let live = std::fs::read_to_string(&page).expect("a page");
    assert!(live.contains("id=\"live\"") && live.contains("Partial."));
    // One that is asked for meanwhile leaves it live.
    lab.succeed(&["report", "tiny"]);
    assert!(news.is_file(), "the open page would stop looking");
    let said = said(sweep);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("index.html (refreshes itself)"), "{}", said.stderr);
    let last_news = std::fs::read_to_string(&news).expect("the last news");
    assert_eq!(last_news, report::LAST_NEWS, "nothing is new any more");
    let last = std::fs::read_to_string(&page).expect("a page");
    assert!(!last.contains("id=\"live\""));
    // All have ended: there is nothing to wait for.
    lab.succeed(&["report", "tiny", "--live"]);
    assert!(!std::fs::read_to_string(&page).expect("a page").contains("id=\"live\""));
}

#[test]
fn reports_are_served_to_who_has_the_token() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let mut server = start(&lab, &["serve", "--port", "0"]);
    let mut url = String::new();
    let mut out = BufReader::new(server.stdout.take().expect("it is piped"));
    out.read_line(&mut url).expect("an address");
    let (port, token) =
        url.trim().rsplit_once(':').and_then(|it| it.1.split_once('/')).expect("both");
    let port: u16 = port.parse().expect("a port");
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).expect("an answer");
        String::from_utf8_lossy(&reply).into_owned()
    };
    assert!(ask("/tiny/").starts_with("HTTP/1.1 403"));
    assert!(ask(&format!("/{token}")).contains("href=\"tiny/\""));
    let page = ask(&format!("/{token}tiny/"));
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<h2>Results</h2>"));
    assert!(!page.contains("id=\"live\""), "all runs have ended");
    assert!(!lab.path("reports").exists(), "nothing is written");
    let taken = lab.say(&["serve", "--port", &port.to_string()]);
    assert_eq!(taken.code, Some(1));
    assert!(taken.stderr.contains(&format!("cannot listen on port {port}")), "{}", taken.stderr);
    signal(server.id(), "TERM");
    assert_eq!(said(server).code, Some(0));
}

#[test]
fn sweeps_are_compared() {
    let lab = Lab::new();
    for name in ["tiny", "other"] {
        let file = format!("{name}.toml");
        lab.write(&file, &tiny(20).replace("\"tiny\"", &format!("\"{name}\"")));
        lab.succeed(&["sweep", &file, "--no-report"]);
    }
    let said = lab.succeed(&["compare", "tiny", "other", "--out", "both"]);
    for file in ["both/index.html", "both/summary.md", "both/data.json"] {
        assert!(lab.path(file).is_file(), "{file}: {}", said.stderr);
    }
    let twice = lab.say(&["compare", "tiny", "tiny"]);
    assert_eq!(twice.code, Some(1));
    assert!(twice.stderr.contains("named twice"), "{}", twice.stderr);
    assert_ne!(lab.say(&["compare", "tiny"]).code, Some(0), "one is none");
    let unknown = lab.say(&["compare", "tiny", "nope"]);
    assert!(unknown.stderr.contains("`nope`"), "{}", unknown.stderr);
}

#[test]
fn watching_takes_a_terminal() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let said = lab.say(&["watch", "tiny"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("`cyclelab status` says the same in lines"), "{}", said.stderr);
}

/// A store that may only be read: what cannot be written beside the runs is said, and the page comes.
#[test]
fn a_report_needs_nothing_written_into_the_store() {
    let lab = Lab::new();
    store_of_an_older_release(&lab);
    let derived = lab.path("runs/tiny/runs.parquet");
    let _ = std::fs::remove_file(&derived);
    std::fs::create_dir(&derived).expect("what no file can replace");
    std::fs::write(derived.join("file"), "").expect("not an empty folder");
    let said = lab.succeed(&["report", "tiny"]);
    assert!(
        said.stderr.contains("warning") && said.stderr.contains("runs.parquet"),
        "{}",
        said.stderr
    );
    assert!(lab.path(said.stdout.trim()).is_file());
}
