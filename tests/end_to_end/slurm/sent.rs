//! What `submit` left: `submissions.jsonl`.

use std::path::Path;

use serde_json::Value;

#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) engine: String,
    pub(super) number: u64,
    /// Arrays that were taken, each with its `job_id`.
    arrays: Vec<Value>,
    report: Option<String>,
    /// Names of jobs that were to be sent and have no number.
    pub(super) open: Vec<String>,
}

impl Sent {
    pub(super) fn all(sweep_dir: &Path) -> Vec<Sent> {
        let text = std::fs::read_to_string(sweep_dir.join("submissions.jsonl")).unwrap_or_default();
        let mut all: Vec<Sent> = Vec::new();
        let mut works: Vec<(String, Value)> = Vec::new();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).expect("a line of JSON");
            let text = |key: &str| line[key].as_str().map(str::to_string);
            let number = line["number"].as_u64().expect("a number");
            if let Some(engine) = line["begun"]["engine"].as_str() {
                all.push(Sent { engine: engine.to_string(), number, ..Sent::default() });
                continue;
            }
            let sent = all.iter_mut().rev().find(|it| it.number == number).expect("it was begun");
            if let Some(name) = text("sending") {
                let mut work = line["work"].clone();
                if let Some(runs) = work.get_mut("runs").and_then(Value::as_object_mut) {
                    runs.insert("script".to_string(), line["script"].clone());
                }
                works.push((name.clone(), work));
                sent.open.push(name);
            }
            if let (Some(name), "sent") = (text("job"), line["event"].as_str().unwrap_or_default())
            {
                sent.open.retain(|it| *it != name);
                let (_, work) = works.iter().find(|it| it.0 == name).expect("it was to be sent");
                match work["runs"].clone() {
                    Value::Null => sent.report = number_of(&line["job_id"]),
                    mut runs => {
                        runs["job_id"] = line["job_id"].clone();
                        sent.arrays.push(runs);
                    }
                }
            }
        }
        all
    }

    pub(super) fn newest(sweep_dir: &Path) -> Sent {
        Sent::all(sweep_dir).pop().expect("a submission")
    }

    pub(super) fn arrays(&self) -> &[Value] {
        &self.arrays
    }

    /// Numbers of the arrays.
    pub(super) fn jobs(&self) -> Vec<String> {
        self.arrays.iter().map(|array| number_of(&array["job_id"]).expect("a number")).collect()
    }

    pub(super) fn report(&self) -> Option<String> {
        self.report.clone()
    }

    /// Indices of all runs that were sent.
    pub(super) fn indices(&self) -> Vec<usize> {
        let lists = self.arrays().iter().map(|it| it["indices"].as_str().expect("text"));
        lists.flat_map(expand).collect()
    }
}

/// A job's number may be larger than what every reader of JSON keeps, so text is fine too.
fn number_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// `0-2,5`
fn expand(list: &str) -> Vec<usize> {
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => (number(first)..=number(last)).collect(),
        None => vec![number(part)],
    };
    list.split(',').flat_map(range).collect()
}
