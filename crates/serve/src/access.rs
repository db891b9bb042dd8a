//! Who is let in.

use crate::ServeError;
use crate::answer::Answer;
use crate::request::Request;

/// 128 random bits as 32 hex digits, the first part of every address. Whoever has it sees every
/// report. No cookie: browsers would send it to whatever else listens on this machine.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// # Errors
    /// `Random`.
    pub fn random() -> Result<Token, ServeError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| ServeError::Random { reason: error.to_string() })?;
        Ok(Token(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is asked for below the token.
    pub(crate) fn admit<'a>(&self, request: &'a Request) -> Result<&'a str, Answer> {
        // A page elsewhere whose name was made to point here would have the browser ask for it.
        if !is_of_this_machine(&request.host) {
            return Err(Answer::refusal(421, "Ask for 127.0.0.1 or localhost."));
        }
        let below = request.path.strip_prefix('/').and_then(|it| it.split_once('/'));
        match below {
            Some((given, path)) if self.is(given) => Ok(path),
            _ => Err(Answer::refusal(
                403,
                "The whole address is needed, as `cyclelab serve` printed it.",
            )),
        }
    }

    /// In a time that does not tell how much of it was right.
    fn is(&self, given: &str) -> bool {
        blake3::hash(given.as_bytes()) == blake3::hash(self.0.as_bytes())
    }
}

/// Whatever the port: a tunnel may have another one at its other end.
fn is_of_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_opens_and_only_to_this_machine_s_names() {
        let own = "a1".repeat(16);
        let token = Token(own.clone());
        let check = |host: &str, path: &str, expected: Option<&str>| {
            let request = Request { path: path.into(), host: host.into(), wants_body: true };
            assert_eq!(token.admit(&request).ok(), expected, "{host} {path}");
        };
        check("localhost:9000", &format!("/{own}/"), Some(""));
        check("127.0.0.1", &format!("/{own}/lambda/live.js"), Some("lambda/live.js"));
        check("[::1]:8000", &format!("/{own}//"), Some("/"));
        check("localhost", &format!("/{own}"), None);
        check("localhost", &format!("{own}/"), None);
        check("localhost", "/", None);
        check("localhost", "//", None);
        check("localhost", &format!("/{}/", "a2".repeat(16)), None);
        check("evil.example", &format!("/{own}/"), None);
        check("localhost.evil.example:80", &format!("/{own}/"), None);
        check("", &format!("/{own}/"), None);
    }

    #[test]
    fn tokens_differ() {
        let [a, b] = [(); 2].map(|()| Token::random().expect("random bits"));
        assert!(a.as_str() != b.as_str() && a.as_str().len() == 32);
    }
}
