//! A list of command lines, one a run: for GNU parallel, xargs and every array of another engine.

use crate::error::ClusterError;
use crate::shell::words;

/// How a run is started, whichever engine does it.
#[derive(Debug, Clone)]
pub struct RunCommand {
    /// Absolute, as all paths here: an engine starts it in a folder of its own choice.
    pub program: String,
    pub sweep_dir: String,
    /// The fingerprint of the plan: a run's number means nothing in another one.
    pub plan: String,
    /// Further arguments of `run`.
    pub arguments: Vec<String>,
}

impl RunCommand {
    /// Its words, without which run it is.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        let begin = [self.program.as_str(), "run", "--sweep-dir", self.sweep_dir.as_str()];
        let plan = ["--plan", self.plan.as_str()];
        begin.into_iter().chain(plan).chain(self.arguments.iter().map(String::as_str))
    }

    /// One line of shell.
    ///
    /// # Errors
    /// `Unwritable` where a word has a line break: the list is read line by line.
    pub fn line(&self, index: usize) -> Result<String, ClusterError> {
        let index = index.to_string();
        let all: Vec<&str> = self.words().chain(["--index", &index]).collect();
        for word in &all {
            if word.contains(['\n', '\r', '\0']) {
                return Err(ClusterError::Unwritable {
                    what: "the word",
                    text: word.to_string(),
                    where_to: "list of commands",
                    why: "a command is one line",
                });
            }
        }
        Ok(words(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(sweep_dir: &str) -> RunCommand {
        RunCommand {
            program: "/opt/cycle lab/cyclelab".into(),
            sweep_dir: sweep_dir.into(),
            plan: "3f9c".into(),
            arguments: vec!["--cache".into(), "/c".into()],
        }
    }

    #[test]
    fn a_line_is_a_command() {
        let line = command("/data/it's $(here)/lambda").line(7).unwrap();
        let expected = r"'/opt/cycle lab/cyclelab' run --sweep-dir '/data/it'\''s $(here)/lambda' --plan 3f9c --cache /c --index 7";
        assert_eq!(line, expected);
    }

    #[test]
    fn a_line_break_is_refused() {
        let error = command("/data/a\nb").line(0).unwrap_err().to_string();
        assert!(error.contains("\"/data/a\\nb\"") && error.contains("one line"), "{error}");
    }
}
