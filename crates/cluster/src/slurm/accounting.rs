//! What `sacct` prints of jobs that the queue has forgotten.

use super::queue;
use crate::indices::Indices;

/// The fixed form that is asked for.
pub(super) const FORMAT: &str = "JobID,State,ExitCode,NodeList,JobName";

/// How a job ended, or that it has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounted {
    pub array: u64,
    /// `None`: no array.
    pub tasks: Option<Indices>,
    /// `TIMEOUT`, `NODE_FAIL`, `OUT_OF_MEMORY`, … without who cancelled it.
    pub state: String,
    /// `7:0`: its exit code, and the signal that ended it.
    pub exit: String,
    pub nodes: String,
    /// Which job it is: numbers are used again.
    pub name: String,
}

impl Accounted {
    pub fn is(&self, name: &str, task: usize) -> bool {
        self.name == name && self.tasks.as_ref().is_some_and(|tasks| tasks.contains(task))
    }

    /// For a person: `OUT_OF_MEMORY (0:125) on n1`.
    pub fn words(&self) -> String {
        let on = match self.nodes.is_empty() || self.nodes.starts_with("None") {
            true => String::new(),
            false => format!(" on {}", self.nodes),
        };
        format!("{} ({}){on}", self.state, self.exit)
    }
}

/// What is not understood is left out: it is only a word about what is over. Of two about the same
/// task the later one counts.
pub fn parse_sacct(text: &str) -> Vec<Accounted> {
    let mut found: Vec<Accounted> = text.lines().filter_map(parse).collect();
    found.reverse();
    found
}

fn parse(line: &str) -> Option<Accounted> {
    let mut parts = line.splitn(5, '|').map(str::trim);
    let (id, state, exit) = (parts.next()?, parts.next()?, parts.next()?);
    let (nodes, name) = (parts.next()?, parts.next()?);
    let (array, tasks) = match id.split_once('_') {
        Some((array, tasks)) => (array, Some(queue::tasks(tasks)?)),
        None => (id, None),
    };
    Some(Accounted {
        array: array.parse().ok()?,
        tasks,
        // `CANCELLED by 1000`.
        state: state.split(' ').next().unwrap_or(state).to_string(),
        exit: exit.to_string(),
        nodes: nodes.to_string(),
        name: name.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_several_releases() {
        let text = "30_2|FAILED|7:0|n0|a.1\n30_[4-6%2]|PENDING|0:0|None assigned|a.1\n\
                    31|COMPLETED|0:0|n1|a.report\n30_3|CANCELLED by 1000|0:15|n1|a.1\n\
                    30_2|OUT_OF_MEMORY|0:125|n1|a.1\n30_4|FAILED|1:0|n9|a stranger's | of long ago\n\
                    sacct: error: noise\n30_2.batch|FAILED|7:0|n0|batch\n";
        let found = parse_sacct(text);
        assert_eq!(found.len(), 6);
        let of = |task: usize| found.iter().find(|it| it.is("a.1", task)).map(Accounted::words);
        assert_eq!(of(2).as_deref(), Some("OUT_OF_MEMORY (0:125) on n1"), "the later one");
        assert_eq!(of(3).as_deref(), Some("CANCELLED (0:15) on n1"));
        assert_eq!(of(4).as_deref(), Some("PENDING (0:0)"), "not the stranger's");
        assert_eq!(of(7), None);
    }
}
