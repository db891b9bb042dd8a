//! What `submit` left: `submissions.jsonl`.

use std::path::Path;

use serde_json::Value;

#[derive(Debug)]
pub(super) struct Sent(pub(super) Value);

impl Sent {
    pub(super) fn all(sweep_dir: &Path) -> Vec<Sent> {
        let text = std::fs::read_to_string(sweep_dir.join("submissions.jsonl")).unwrap_or_default();
        let line = |line: &str| Sent(serde_json::from_str(line).expect("a line of JSON"));
        text.lines().map(line).collect()
    }

    pub(super) fn newest(sweep_dir: &Path) -> Sent {
        Sent::all(sweep_dir).pop().expect("a submission")
    }

    pub(super) fn arrays(&self) -> &[Value] {
        self.0["arrays"].as_array().expect("a list of arrays")
    }

    /// Numbers of the arrays.
    pub(super) fn jobs(&self) -> Vec<String> {
        self.arrays().iter().map(|array| number(&array["job_id"]).expect("a number")).collect()
    }

    pub(super) fn report(&self) -> Option<String> {
        number(&self.0["report_job"])
    }

    /// Indices of all runs that were sent.
    pub(super) fn indices(&self) -> Vec<usize> {
        let lists = self.arrays().iter().map(|it| it["indices"].as_str().expect("text"));
        lists.flat_map(expand).collect()
    }
}

/// A job's number may be larger than what every reader of JSON keeps, so text is fine too.
fn number(value: &Value) -> Option<String> {
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
