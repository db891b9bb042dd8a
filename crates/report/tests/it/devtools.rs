//! A headless browser that does what a test tells it, over a pipe.
//!
//! The page stays as it was written: what is evaluated needs no place in its policy, keys are pressed
//! as a keyboard's are, and everything the browser asked for or complained of is kept.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Past this the browser is taken for dead.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Browser {
    child: Child,
    commands: ChildStdin,
    said: Receiver<Value>,
    count: u64,
    session: Option<String>,
    /// Everything but the answers to commands, since the page was opened.
    events: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    /// `None` where there is none, which a complete run of the tests does not accept.
    pub(crate) fn start() -> Option<Browser> {
        if Command::new("chromium").arg("--version").output().is_err() {
            assert!(std::env::var_os("CYCLELAB_NO_SKIPS").is_none(), "chromium is missing");
            eprintln!("skipped: chromium is missing");
            return None;
        }
        let profile = tempfile::tempdir().expect("a temporary folder");
        // Chromium reads commands from descriptor 3 and answers on 4, which a shell can lead to ours.
        let mut child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null", "sh"])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-sync", "--disable-quic", "--disable-background-networking"])
            .args(["--disable-component-update", "--remote-debugging-pipe"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        let commands = child.stdin.take().expect("it is piped");
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, said) = channel();
        thread::spawn(move || {
            let messages = answers.split(0).map_while(Result::ok);
            messages
                .map_while(|message| serde_json::from_slice(&message).ok())
                .try_for_each(|message| sender.send(message))
        });
        let mut browser = Browser {
            child,
            commands,
            said,
            count: 0,
            session: None,
            events: Vec::new(),
            _profile: profile,
        };
        let target = browser.send("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.send("Target.attachToTarget", attached)["sessionId"].clone();
        browser.session = session.as_str().map(String::from);
        for domain in ["Page", "Network", "Log", "Runtime"] {
            browser.send(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Returns when the page and its scripts have been loaded.
    pub(crate) fn open(&mut self, page: &Path) {
        self.events.clear();
        self.send("Page.navigate", json!({ "url": format!("file://{}", page.display()) }));
        self.wait_for_load();
    }

    /// Returns when the page has loaded itself again because of `doing`.
    pub(crate) fn reload_by(&mut self, doing: &str) {
        self.events.clear();
        self.evaluate(doing);
        self.wait_for_load();
    }

    fn wait_for_load(&mut self) {
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.read();
            self.events.push(event);
        }
    }

    pub(crate) fn resize(&mut self, width: u32) {
        let size =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.send("Emulation.setDeviceMetricsOverride", size);
    }

    /// `light` or `dark`, as the system would prefer it.
    pub(crate) fn prefer(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.send("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// A key, by its name and its code: `press("Tab", 9)`.
    pub(crate) fn press(&mut self, key: &str, code: u32) {
        // Only a key that has a text presses a button.
        let text = match key {
            "Enter" => "\r",
            " " => " ",
            _ => "",
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text,
            });
            self.send("Input.dispatchKeyEvent", event);
        }
    }

    /// What an expression, or the promise it makes, comes to.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut said = self.send("Runtime.evaluate", asked);
        assert!(said["exceptionDetails"].is_null(), "{}", said["exceptionDetails"]);
        said["result"]["value"].take()
    }

    /// Every address the page asked for.
    pub(crate) fn requests(&self) -> Vec<&str> {
        let sent = |event: &&Value| event["method"] == "Network.requestWillBeSent";
        let events = self.events.iter().filter(sent);
        events.filter_map(|event| event["params"]["request"]["url"].as_str()).collect()
    }

    /// What the page wrote to its console, and what the browser wrote there of it.
    pub(crate) fn complaints(&self) -> Vec<String> {
        const KINDS: [&str; 3] =
            ["Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"];
        let is_one = |event: &&Value| KINDS.iter().any(|kind| event["method"] == *kind);
        self.events.iter().filter(is_one).map(|event| event["params"].to_string()).collect()
    }

    fn send(&mut self, method: &str, params: Value) -> Value {
        self.count += 1;
        let mut message = json!({ "id": self.count, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let sent = self.commands.write_all(format!("{message}\0").as_bytes());
        sent.and_then(|()| self.commands.flush()).expect("the browser listens");
        loop {
            let mut message = self.read();
            if message["id"] == self.count {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    fn read(&mut self) -> Value {
        self.said.recv_timeout(PATIENCE).expect("the browser answers")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A test that has ended needs no clean end of its browser.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
