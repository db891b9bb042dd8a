use std::io;

/// What can go wrong between this program and an engine's.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error("there is no `{program}` here")]
    Missing { program: String },
    #[error("cannot start `{program}`")]
    Start {
        program: String,
        #[source]
        source: io::Error,
    },
    #[error("`{command}` said nothing for {seconds} s, and was ended")]
    Silent { command: String, seconds: u64 },
    /// `said` is the end of what it wrote on its standard error.
    #[error("`{command}` failed ({status}): {said}")]
    Refused { command: String, status: String, said: String },
    #[error("`{command}` answered what is no {wanted}: {found:?}")]
    Unreadable { command: String, wanted: &'static str, found: String },
    #[error("{what} {text:?} cannot stand in a {where_to}: {why}")]
    Unwritable { what: &'static str, text: String, where_to: &'static str, why: &'static str },
}

impl ClusterError {
    pub(crate) fn unreadable(command: &str, wanted: &'static str, found: &str) -> ClusterError {
        // Whatever it is, it is shown to a person.
        let found = found.chars().take(200).collect();
        ClusterError::Unreadable { command: command.to_string(), wanted, found }
    }
}
