//! What is sent back.

use std::io::{self, Write};
use std::net::TcpStream;

pub(crate) struct Answer {
    status: u16,
    kind: &'static str,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn file(kind: &'static str, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status: 200, kind, body: body.into() }
    }

    pub(crate) fn refusal(status: u16, reason: &str) -> Answer {
        let body = format!("{reason}\n").into_bytes();
        Answer { status, kind: "text/plain; charset=utf-8", body }
    }

    /// A page names its own policy; the rest of what a browser is told here is the same for all.
    pub(crate) fn write(&self, mut stream: &TcpStream, with_body: bool) -> io::Result<()> {
        let Answer { status, kind, body } = self;
        // Only the number counts.
        let word = if *status == 200 { "OK" } else { "Refused" };
        let head = format!(
            "HTTP/1.1 {status} {word}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\nX-Frame-Options: DENY\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        if with_body {
            stream.write_all(body)?;
        }
        stream.flush()
    }
}
