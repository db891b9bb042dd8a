//! Reports over HTTP, for a browser on another machine.
//!
//! Listens on the loopback address alone: whoever wants to see it from elsewhere has an account here
//! and makes a tunnel. Other people have accounts here too, so a token is asked for. Nothing can be
//! changed, and no path of a request reaches the file system: sweeps are looked up by name among
//! those of the store, and files among those that a report has.

mod access;
mod answer;
mod shelf;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tiny_http::{Method, Request};
use track::TrackError;

pub use access::Token;
use access::{Admission, Visitor};
use answer::Answer;
pub use shelf::Shelf;

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on port {port} of this machine: {reason}")]
    Listen { port: u16, reason: String },
    #[error("the machine gives no random numbers for a token: {reason}")]
    Random { reason: String },
    #[error("connections are not accepted any more")]
    Accept { source: io::Error },
    #[error("cannot read `{path}`")]
    Picture { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] TrackError),
    #[error(transparent)]
    Report(#[from] report::ReportError),
}

pub struct Server {
    http: tiny_http::Server,
    port: u16,
    token: Token,
}

impl Server {
    /// Port 0 is any that is free.
    ///
    /// # Errors
    /// `Listen`, where the port is taken or not for this user.
    pub fn bind(port: u16, token: Token) -> Result<Server, ServeError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let http = tiny_http::Server::http(address)
            .map_err(|error| ServeError::Listen { port, reason: error.to_string() })?;
        let port = http.server_addr().to_ip().map_or(port, |address| address.port());
        Ok(Server { http, port, token })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// To be opened once; the browser keeps the token then.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/?token={}", self.port, self.token.as_str())
    }

    /// Answers until `is_over`. A visitor who goes away before the end is no failure.
    ///
    /// # Errors
    /// `Accept`.
    pub fn run(&self, shelf: &mut Shelf, is_over: impl Fn() -> bool) -> Result<(), ServeError> {
        while !is_over() {
            let waited = self.http.recv_timeout(Duration::from_millis(200));
            if let Some(request) = waited.map_err(|source| ServeError::Accept { source })? {
                let answer = self.answer(&request, shelf);
                drop(request.respond(answer.into_response()));
            }
        }
        Ok(())
    }

    fn answer(&self, request: &Request, shelf: &mut Shelf) -> Answer {
        let header = |name: &'static str| {
            let found = request.headers().iter().find(|it| it.field.equiv(name));
            found.map(|it| it.value.as_str())
        };
        if !matches!(request.method(), Method::Get | Method::Head) {
            return Answer::refusal(405, "Only GET: nothing can be changed here.");
        }
        let visitor =
            Visitor { host: header("Host"), cookie: header("Cookie"), url: request.url() };
        match self.token.admit(&visitor, self.port) {
            Admission::Known => shelf.answer(visitor.path()),
            Admission::New { cookie } => Answer::redirect(visitor.path(), &cookie),
            Admission::Refused { status, reason } => Answer::refusal(status, reason),
        }
    }
}
