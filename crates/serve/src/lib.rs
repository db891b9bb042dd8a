//! Reports over HTTP, for a browser on another machine.
//!
//! Listens on the loopback address alone: whoever wants to see it from elsewhere has an account here
//! and makes a tunnel. Other people have accounts here too, so every address begins with a token.
//! Nothing can be changed, and no path of a request reaches the file system: sweeps are looked up by
//! name among those of the store, and files among those that a report has.

mod access;
mod answer;
mod request;
mod shelf;

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use track::TrackError;

pub use access::Token;
use answer::Answer;
use request::Request;
pub use shelf::Shelf;

/// Visitors at once; more are sent away. One browser opens six connections.
const MOST_VISITORS: usize = 32;

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on port {port} of this machine")]
    Listen { port: u16, source: io::Error },
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
    listener: TcpListener,
    port: u16,
    token: Token,
}

impl Server {
    /// Port 0 is any that is free.
    ///
    /// # Errors
    /// `Listen`, where the port is taken or not for this user.
    pub fn bind(port: u16, token: Token) -> Result<Server, ServeError> {
        let listen = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
            listener.set_nonblocking(true)?;
            let port = listener.local_addr()?.port();
            Ok((listener, port))
        };
        let (listener, port) = listen().map_err(|source| ServeError::Listen { port, source })?;
        Ok(Server { listener, port, token })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.token.as_str())
    }

    /// Answers until `is_over`. Each visitor has a thread, so a slow one keeps nobody waiting; one that
    /// goes away before the end is no failure.
    ///
    /// # Errors
    /// `Accept`.
    pub fn run(&self, shelf: Shelf, is_over: impl Fn() -> bool) -> Result<(), ServeError> {
        let shelf = Arc::new(Mutex::new(shelf));
        let visitors = Arc::new(AtomicUsize::new(0));
        while !is_over() {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    let here = Visit::begin(&visitors);
                    let (shelf, token) = (Arc::clone(&shelf), self.token.clone());
                    thread::spawn(move || {
                        let is_full = here.others >= MOST_VISITORS;
                        // What comes of it is the visitor's to see.
                        drop(visit(&stream, &token, &shelf, is_full));
                        drop(here);
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    thread::sleep(Duration::from_millis(20));
                }
                // The visitor was gone before it was let in.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(source) => return Err(ServeError::Accept { source }),
            }
        }
        Ok(())
    }
}

/// Counts a visitor for as long as it is there.
struct Visit {
    visitors: Arc<AtomicUsize>,
    others: usize,
}

impl Visit {
    fn begin(visitors: &Arc<AtomicUsize>) -> Visit {
        let others = visitors.fetch_add(1, Ordering::Relaxed);
        Visit { visitors: Arc::clone(visitors), others }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.visitors.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One request, one answer.
fn visit(stream: &TcpStream, token: &Token, shelf: &Mutex<Shelf>, is_full: bool) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    let (request, answer) = match Request::read(stream)? {
        _ if is_full => (None, Answer::refusal(503, "Too many visitors at once.")),
        Ok(request) => {
            let answer = match token.admit(&request) {
                Ok(path) => {
                    // A panic while a page was made leaves the others as they were.
                    shelf.lock().unwrap_or_else(|it| it.into_inner()).answer(path)
                }
                Err(refusal) => refusal,
            };
            (Some(request), answer)
        }
        Err(refusal) => (None, refusal),
    };
    answer.write(stream, request.is_none_or(|it| it.wants_body))
}
