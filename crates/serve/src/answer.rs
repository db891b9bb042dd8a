//! What is sent back.

use std::io::Cursor;

use tiny_http::{Header, Response};

/// Status, headers, body.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn file(kind: &'static str, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status: 200, headers: vec![("Content-Type", kind.into())], body: body.into() }
    }

    pub(crate) fn redirect(path: &str, cookie: &str) -> Answer {
        // What begins with two slashes would be another machine's.
        let place = format!("/{}", path.trim_start_matches('/'));
        let headers = vec![("Location", place), ("Set-Cookie", cookie.into())];
        Answer { status: 303, headers, body: Vec::new() }
    }

    pub(crate) fn refusal(status: u16, reason: &str) -> Answer {
        let headers = vec![("Content-Type", "text/plain; charset=utf-8".into())];
        Answer { status, headers, body: format!("{reason}\n").into_bytes() }
    }

    pub(crate) fn into_response(self) -> Response<Cursor<Vec<u8>>> {
        // A page names its own policy; what is no page may do nothing.
        let always = [
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("X-Frame-Options", "DENY"),
        ];
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let headers = always.into_iter().chain(own).filter_map(|(name, value)| {
            // A name with what no header can hold is left out, and nothing is smuggled in by it.
            Header::from_bytes(name, value).ok()
        });
        headers.fold(
            Response::from_data(self.body).with_status_code(self.status),
            |response, header| response.with_header(header),
        )
    }
}
