//! One call of a program of the engine's, with an end.

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::ClusterError;
use crate::shell::word;

/// A queue of every job on a large cluster is a few MB.
const MOST_BYTES: u64 = 64 << 20;

const LOOK_EVERY: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) said: String,
}

impl Answer {
    /// What it wrote, if it ended well.
    pub(crate) fn expect(self, command: &str) -> Result<String, ClusterError> {
        match self.status.success() {
            true => Ok(self.out),
            false => Err(self.refused(command)),
        }
    }

    pub(crate) fn refused(&self, command: &str) -> ClusterError {
        let lines: Vec<&str> = self.said.trim().lines().collect();
        let last = lines[lines.len().saturating_sub(5)..].join("; ");
        ClusterError::Refused {
            command: command.to_string(),
            status: self.status.to_string(),
            said: if last.is_empty() { "it gave no reason".to_string() } else { last },
        }
    }
}

pub(crate) fn call(command: Command, limit: Duration) -> Result<Answer, ClusterError> {
    call_with(command, "", limit)
}

/// Given `input` to read, runs to the end, or until `limit` is over: a controller that is down must not
/// hang a command.
pub(crate) fn call_with(
    mut command: Command,
    input: &str,
    limit: Duration,
) -> Result<Answer, ClusterError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let spawned =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|source| match source.kind() {
        ErrorKind::NotFound => ClusterError::Missing { program: program.clone() },
        _ => ClusterError::Start { program: program.clone(), source },
    })?;
    // Each from a thread of its own: a full pipe would hold the program up.
    let (mut pipe, input) = (child.stdin.take(), input.to_string());
    std::thread::spawn(move || {
        // Who ends without reading it has said why.
        drop(pipe.as_mut().map(|pipe| pipe.write_all(input.as_bytes())));
    });
    let out = std::thread::spawn(reader(child.stdout.take()));
    let said = std::thread::spawn(reader(child.stderr.take()));
    let status = wait(&mut child, limit, &program)?;
    let text = |read: std::thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&read.join().unwrap_or_default()).into_owned()
    };
    Ok(Answer { status, out: text(out), said: text(said) })
}

/// As it would be typed.
pub(crate) fn shown(program: &str, arguments: &[OsString]) -> String {
    let words = arguments.iter().map(|it| word(&it.to_string_lossy()));
    std::iter::once(program.to_string()).chain(words).collect::<Vec<_>>().join(" ")
}

fn reader(pipe: Option<impl Read>) -> impl FnOnce() -> Vec<u8> {
    move || {
        let mut text = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before an error is what there is.
            drop(pipe.take(MOST_BYTES).read_to_end(&mut text));
        }
        text
    }
}

fn wait(child: &mut Child, limit: Duration, program: &str) -> Result<ExitStatus, ClusterError> {
    let began = Instant::now();
    loop {
        let ended = child
            .try_wait()
            .map_err(|source| ClusterError::Start { program: program.to_string(), source })?;
        if let Some(status) = ended {
            return Ok(status);
        }
        if began.elapsed() >= limit {
            // It may have ended just now; then there is nothing to kill.
            drop(child.kill());
            drop(child.wait());
            let seconds = limit.as_secs();
            return Err(ClusterError::Silent { command: program.to_string(), seconds });
        }
        sleep(LOOK_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Answer, ClusterError> {
        let mut command = Command::new("bash");
        command.args(["-c", script]);
        call(command, Duration::from_secs(1))
    }

    #[test]
    fn an_answer_a_refusal_and_silence() {
        let answer = shell("echo 17; echo noise >&2").unwrap();
        assert_eq!(answer.said, "noise\n");
        assert_eq!(answer.expect("x").unwrap(), "17\n");
        let refused = shell("echo why >&2; exit 3").unwrap().expect("sbatch a").unwrap_err();
        assert_eq!(refused.to_string(), "`sbatch a` failed (exit status: 3): why");
        let began = Instant::now();
        let silent = shell("exec sleep 20").unwrap_err().to_string();
        assert!(silent.contains("for 1 s") && began.elapsed().as_secs() < 10, "{silent}");
        let missing = call(Command::new("no-such-program-here"), Duration::from_secs(1));
        assert!(matches!(missing, Err(ClusterError::Missing { .. })));
    }

    #[test]
    fn what_it_is_given_it_reads() {
        let cat = |input: &str| call_with(Command::new("cat"), input, Duration::from_secs(5));
        let much = "x".repeat(300_000);
        for input in ["", "a line\n", &much] {
            assert_eq!(cat(input).unwrap().out, input);
        }
        assert_eq!(shell("exec 0<&-; echo done").unwrap().out, "done\n", "nobody reads");
    }

    /// More than a pipe holds, on both.
    #[test]
    fn much_is_read_to_its_end() {
        let answer = shell("head -c 300000 /dev/zero | tee /dev/stderr").unwrap();
        assert_eq!((answer.out.len(), answer.said.len()), (300_000, 300_000));
    }
}
