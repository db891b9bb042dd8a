//! Text from strangers: in sweep files, and in the store on its way to the terminal and the report.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::lab::{Lab, available, tiny};
use crate::older_stores::store_of_an_older_release;

#[test]
fn odd_files_are_read_or_refused_at_their_place() {
    let lab = Lab::new();
    let check = |what: &str, text: &str, places: &[&str]| {
        lab.write("odd.toml", text);
        for command in ["check", "sweep"] {
            if places.is_empty() && command == "sweep" {
                continue;
            }
            let said = lab.say(&[command, "odd.toml"]);
            let expected = if places.is_empty() { 0 } else { 2 };
            assert_eq!(said.code, Some(expected), "{what}: {command}: {}", said.stderr);
            for place in places {
                assert!(
                    said.stderr.contains(&format!("odd.toml:{place}")),
                    "{what}: {}",
                    said.stderr
                );
            }
            assert!(said.stderr.len() < 10_000, "{what}: {} bytes of errors", said.stderr.len());
        }
        assert!(
            !lab.path("runs").exists() && !lab.path("reports").exists(),
            "{what} made a folder"
        );
    };
    let end = tiny(20).lines().count();
    let wrong = tiny(20).replace("ngf = 4", "ngf = -4").replace("train.steps", "train.stepz");
    let places = ["14:13", "18:7"];
    check("plain", &wrong, &places);
    check("byte order mark", &format!("\u{feff}{wrong}"), &places);
    check("CRLF", &wrong.replace('\n', "\r\n"), &places);
    check("both", &format!("\u{feff}{}", tiny(20).replace('\n', "\r\n")), &[]);
    let comment = |bytes: usize| format!("# {}\n", "x".repeat(bytes));
    check("1 MB of comment", &format!("{}{}", comment(1_000_000), tiny(20)), &[]);
    check("1 MB before a mistake", &format!("{}{wrong}", comment(1_000_000)), &["15:13", "19:7"]);
    check("10 MB of comment", &format!("{}{wrong}", comment(10_000_000)), &["1:1"]);
    let keys: String = (0..30_000).map(|i| format!("key_number_{i:06} = {i}\n")).collect();
    check(
        "a million bytes of keys",
        &format!("{}[strange]\n{keys}", tiny(20)),
        &[&format!("{}:2", end + 1)],
    );
    let deep = |open: &str, close: &str| {
        format!("{}[strange]\na = {}1{}\n", tiny(20), open.repeat(50_000), close.repeat(50_000))
    };
    check("deep arrays", &deep("[", "]"), &[&format!("{}:", end + 2)]);
    check("deep tables", &deep("{a=", "}"), &[&format!("{}:", end + 2)]);
    check(
        "deep keys",
        &format!("{}[a{}]\nb = 1\n", tiny(20), ".a".repeat(50_000)),
        &[&format!("{}:", end + 2)],
    );
    check("a cut string", &tiny(20).replace("end to end?\"", "end to end?"), &["4:"]);
    check("nothing", "", &["1:1"]);
    check("twice", &tiny(20).replace("model.ngf = 4", "model.ngf = 4\nmodel.ngf = 8"), &["15:"]);
}

#[test]
fn what_is_no_text_is_refused_in_words() {
    let lab = Lab::new();
    std::fs::write(lab.path("bytes.toml"), [&b"\xff\xfe"[..], tiny(5).as_bytes()].concat())
        .expect("a file");
    std::fs::create_dir(lab.path("folder.toml")).expect("a folder");
    for file in ["bytes.toml", "folder.toml"] {
        let said = lab.say(&["sweep", file]);
        assert!(matches!(said.code, Some(1 | 2)), "{file}: {:?}", said.code);
        assert!(said.stderr.contains(file), "{file}: {}", said.stderr);
    }
    assert!(!lab.path("runs").exists());
}

/// Closes whatever it may stand in, then acts: on the page, on another machine, on the terminal.
fn hostile(port: u16) -> String {
    let act = "document.documentElement.dataset.taken=1";
    format!(
        "\"'></code></title></style></script></svg><script>{act}</script><img src=x onerror={act}>\
         <svg onload={act}><img src=http://127.0.0.1:{port}/x><link rel=stylesheet href=//127.0.0.1:{port}/x>\
         <style>*{{background:url(http://127.0.0.1:{port}/x)}}</style><form action=http://127.0.0.1:{port}>\
         <base href=http://127.0.0.1:{port}/><meta http-equiv=refresh content=0;url=http://127.0.0.1:{port}/>\
         {{{{main}}}}&lt;\u{2028}\u{202e}\u{1b}[2J\u{1b}]0;taken\u{7}\u{9b}31m\0"
    )
}

/// A store in which a stranger has written all that is not computed: names, values, reasons, logs.
fn taken_store(lab: &Lab, text: &str) {
    store_of_an_older_release(lab);
    let plan = lab.path("runs/tiny/plan.jsonl");
    let lines = std::fs::read_to_string(&plan).expect("the plan");
    let mut lines: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let record = &mut lines[0]["plan"];
    for place in [
        "/question",
        "/command",
        "/preset",
        "/axes/0/label",
        "/dataset/name",
        "/dataset/title",
        "/dataset/credit",
        "/dataset/licence",
        "/dataset/counts/0/0",
        "/departures/0/0",
        "/departures/0/2",
    ] {
        *record.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")) = json!(text);
    }
    record["metric"]["secondary"] = json!([format!("eval/{text}")]);
    for cell in 0..2 {
        record["cells"][cell]["label"] = json!(format!("{cell} {text}"));
        record["cells"][cell]["note"] = json!(text);
        record["cells"][cell]["settings"] =
            json!([["loss.lambda_cycle", format!("{cell} {text}")], [text, text]]);
    }
    for cell in 0..2 {
        lines[cell + 1]["label"] = json!(format!("{cell} {text}"));
    }
    let lines: Vec<_> = lines.iter().map(Value::to_string).collect();
    std::fs::write(&plan, lines.join("\n") + "\n").expect("writable");

    let run = lab.path("runs/tiny/lambda_cycle0-s1-b549c442");
    let ended = json!({
        "ts": "2026-11-22T03:00:00.000000Z", "event": "failed", "class": "io", "reason": text,
    });
    let started = json!({
        "ts": "2026-11-22T02:59:00.000000Z", "event": "started", "attempt": 2, "device": text,
        "pid": 1, "host": text, "code": text, "argv": [text],
    });
    let mut events =
        std::fs::File::options().append(true).open(run.join("events.jsonl")).expect("events");
    writeln!(events, "{started}\n{ended}").expect("writable");
    std::fs::write(run.join("logs/attempt-02.log"), format!("one\n{text}\nlast\n")).expect("a log");
    let samples = run.with_file_name("lambda_cycle10-s1-9e5ffa34").join("samples/samples.jsonl");
    let altered = std::fs::read_to_string(&samples).expect("samples");
    let id = serde_json::to_string(text).expect("a string");
    std::fs::write(&samples, altered.replace("\"00007\"", &id)).expect("writable");
}

#[test]
fn nothing_acts_on_the_terminal() {
    let lab = Lab::new();
    let text = hostile(9);
    taken_store(&lab, &text);
    for args in [
        &["ls"][..],
        &["ls", "tiny"],
        &["ls", "tiny", "--json"],
        &["status", "tiny"],
        &["show", "tiny/0"],
        &["show", "tiny/1"],
        &["show", "tiny/0", "--json"],
        &["diff", "tiny/0", "tiny/1"],
        &["report", "tiny"],
    ] {
        let said = lab.succeed(args);
        for (stream, said) in [("output", &said.stdout), ("errors", &said.stderr)] {
            let acts = said.chars().find(|c| {
                (c.is_control() && !matches!(c, '\n' | '\t'))
                    || matches!(c, '\u{2028}' | '\u{202e}')
            });
            assert_eq!(acts, None, "{args:?}: {stream}: {said:?}");
        }
        if args.contains(&"--json") {
            let found: Value = serde_json::from_str(&said.stdout).expect("still JSON");
            assert!(found.to_string().contains("taken"), "{args:?}");
        }
    }
    let shown = lab.succeed(&["show", "tiny/0"]).stdout;
    assert!(shown.contains("\\u001b[2J") && shown.contains("onerror"), "written out: {shown}");
}

/// The page as a browser has it: nothing of the text lives, nothing is asked for.
#[test]
fn nothing_acts_in_the_browser() {
    let mut probe = Command::new("chromium");
    probe.arg("--version");
    if !available("chromium", probe) {
        return;
    }
    let lab = Lab::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let text = hostile(listener.local_addr().expect("bound").port());
    taken_store(&lab, &text);
    lab.succeed(&["report", "tiny"]);
    let page = lab.path("reports/tiny/index.html");
    let (dom, console) = in_browser(&lab, &page);
    assert!(dom.contains("onerror=document"), "the text is there, as text");
    assert!(!dom.contains("data-taken"), "a script of the text was run");
    for element in ["<form", "<base", "<link", "http-equiv=\"refresh\"", "onerror=\"", "onload=\""]
    {
        assert!(!dom.contains(element), "{element} is an element");
    }
    assert_eq!(dom.matches("<script>").count(), 1, "ours alone");
    // Pictures that are not shown yet, settings for filters, and groups: data, which no browser runs.
    let data = ["sample-data", "leaves", "groups"]
        .map(|id| format!("<script type=\"application/json\" id=\"{id}\">"))
        .iter()
        .map(|block| dom.matches(block.as_str()).count())
        .sum::<usize>();
    assert_eq!(dom.matches("<script").count(), 1 + data, "and data");
    assert!(dom.contains("<button type=\"button\">"), "ours is run: it makes headings buttons");
    let complaints: Vec<&str> = console.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    listener.set_nonblocking(true).expect("a socket");
    assert!(listener.accept().is_err(), "the page asked another machine");

    // The same text in a page without our escaping: only the policy stands between.
    let unescaped = std::fs::read_to_string(&page).expect("the report");
    let act = "<script>document.documentElement.dataset.taken=1</script>";
    let port = listener.local_addr().expect("bound").port();
    let picture = format!("<img src=http://127.0.0.1:{port}/x><p style=\"color:red\">{act}");
    std::fs::write(&page, unescaped.replacen("<main>", &format!("<main>{picture}"), 1))
        .expect("writable");
    let (dom, console) = in_browser(&lab, &page);
    assert!(dom.contains(act) && !dom.contains("data-taken"), "the policy lets it be");
    assert!(listener.accept().is_err(), "the policy lets a picture be fetched");
    assert!(console.contains("Content Security Policy"), "{console}");
}

fn in_browser(lab: &Lab, page: &Path) -> (String, String) {
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-quic"])
        .args(["--enable-logging=stderr", "--v=0", "--dump-dom"])
        .arg(format!("--user-data-dir={}", lab.path("browser").display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("the browser starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}
