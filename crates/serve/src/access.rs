//! Who is let in.

use crate::ServeError;

/// 128 random bits as 32 hex digits. Whoever has it sees every report.
#[derive(Clone)]
pub struct Token(String);

/// What a request says of who makes it.
pub(crate) struct Visitor<'a> {
    pub(crate) host: Option<&'a str>,
    pub(crate) cookie: Option<&'a str>,
    pub(crate) url: &'a str,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Known,
    /// Came with the token in the address; keeps it in a cookie from now on.
    New {
        cookie: String,
    },
    Refused {
        status: u16,
        reason: &'static str,
    },
}

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

    /// The cookie has the port in its name: browsers keep one jar for all ports of a machine.
    pub(crate) fn admit(&self, visitor: &Visitor<'_>, port: u16) -> Admission {
        if !visitor.is_of_this_machine() {
            // A page elsewhere whose name was made to point here would have the browser ask for it.
            return Admission::Refused { status: 421, reason: "Ask for 127.0.0.1 or localhost." };
        }
        let name = format!("cyclelab_{port}");
        if visitor.cookie(&name).is_some_and(|given| self.is(given)) && visitor.token().is_none() {
            return Admission::Known;
        }
        match visitor.token() {
            Some(given) if self.is(given) => Admission::New {
                cookie: format!("{name}={}; Path=/; HttpOnly; SameSite=Strict", self.0),
            },
            _ => Admission::Refused {
                status: 403,
                reason: "The address with its token, as `cyclelab serve` printed it, is needed once.",
            },
        }
    }

    /// In a time that does not tell how much of it was right.
    fn is(&self, given: &str) -> bool {
        blake3::hash(given.as_bytes()) == blake3::hash(self.0.as_bytes())
    }
}

impl<'a> Visitor<'a> {
    pub(crate) fn path(&self) -> &'a str {
        self.url.split('?').next().unwrap_or("/")
    }

    /// Whatever the port: a tunnel may have another one at its other end.
    fn is_of_this_machine(&self) -> bool {
        let host = self.host.unwrap_or("");
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
            _ => host,
        };
        matches!(name, "127.0.0.1" | "localhost" | "[::1]")
    }

    fn token(&self) -> Option<&'a str> {
        let (_, query) = self.url.split_once('?')?;
        query.split('&').find_map(|it| it.strip_prefix("token="))
    }

    fn cookie(&self, name: &str) -> Option<&'a str> {
        let pairs = self.cookie?.split(';').filter_map(|it| it.trim().split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_opens_and_only_to_this_machine_s_names() {
        let token = Token("a1".repeat(16));
        let own = "a1".repeat(16);
        let check = |host: &str, cookie: &str, url: &str, expected: &str| {
            let visitor = Visitor { host: Some(host), cookie: Some(cookie), url };
            let said = match token.admit(&visitor, 8000) {
                Admission::Known => "known".to_string(),
                Admission::New { .. } => "new".to_string(),
                Admission::Refused { status, .. } => status.to_string(),
            };
            assert_eq!(said, expected, "{host} {cookie} {url}");
        };
        let right = format!("other=1; cyclelab_8000={own}");
        check("localhost:9000", &right, "/lambda/", "known");
        check("127.0.0.1", &right, "/", "known");
        check("[::1]:8000", &right, "/", "known");
        check("localhost", "", &format!("/?token={own}"), "new");
        check("localhost", &right, &format!("/lambda/?x=1&token={own}"), "new");
        check("localhost", "", "/", "403");
        check("localhost", &format!("cyclelab_8001={own}"), "/", "403");
        check("localhost", "cyclelab_8000=", "/?token=", "403");
        check("localhost", &right, "/?token=wrong", "403");
        check("evil.example", &right, "/", "421");
        check("localhost.evil.example:80", &right, "/", "421");
        let nameless = Visitor { host: None, cookie: Some(&right), url: "/" };
        assert!(matches!(token.admit(&nameless, 8000), Admission::Refused { status: 421, .. }));
    }

    #[test]
    fn tokens_differ() {
        let [a, b] = [(); 2].map(|()| Token::random().expect("random bits"));
        assert!(a.as_str() != b.as_str() && a.as_str().len() == 32);
    }
}
