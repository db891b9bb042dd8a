//! What a visitor asks for: the head of one HTTP/1 request. Nothing else is read.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::answer::Answer;

/// Of the request's line and headers.
const MOST_BYTES: usize = 16 << 10;
const MOST_HEADERS: usize = 64;
/// For the whole head, and for each part of the answer to be taken.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Request {
    /// As sent, the query cut off.
    pub(crate) path: String,
    pub(crate) host: String,
    /// Not for `HEAD`.
    pub(crate) wants_body: bool,
}

impl Request {
    /// The inner error is what the visitor is told.
    pub(crate) fn read(mut stream: &TcpStream) -> io::Result<Result<Request, Answer>> {
        stream.set_write_timeout(Some(PATIENCE))?;
        let began = Instant::now();
        let (mut head, mut part) = (Vec::new(), [0; 2048]);
        loop {
            let left = PATIENCE.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(Err(Answer::refusal(408, "That took too long.")));
            }
            stream.set_read_timeout(Some(left))?;
            let n = stream.read(&mut part)?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            head.extend_from_slice(&part[..n]);
            match Request::parse(&head) {
                Some(parsed) => return Ok(parsed),
                None if head.len() > MOST_BYTES => {
                    return Ok(Err(Answer::refusal(431, "That is too long.")));
                }
                None => {}
            }
        }
    }

    /// `None` while the head is not complete.
    fn parse(head: &[u8]) -> Option<Result<Request, Answer>> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let complete = match request.parse(head) {
            Ok(status) => status.is_complete(),
            Err(_) => return Some(Err(Answer::refusal(400, "That is no request."))),
        };
        if !complete {
            return None;
        }
        let wants_body = match request.method {
            Some("GET") => true,
            Some("HEAD") => false,
            _ => return Some(Err(Answer::refusal(405, "Only GET: nothing can be changed here."))),
        };
        let mut hosts = request.headers.iter().filter(|it| it.name.eq_ignore_ascii_case("host"));
        let host = hosts.next().map(|it| String::from_utf8_lossy(it.value).into_owned());
        let (Some(host), None) = (host, hosts.next()) else {
            return Some(Err(Answer::refusal(400, "One host is asked for.")));
        };
        let target = request.path.unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default().to_string();
        Some(Ok(Request { path, host, wants_body }))
    }
}
