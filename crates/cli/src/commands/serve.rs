use std::sync::Arc;

use anyhow::bail;
use runner::Stop;
use serve::{ServeError, Server, Shelf, Token};

use crate::args::ServeArgs;
use crate::exit::Exit;
use crate::places::Places;
use crate::signals::{self, Asked};

/// Where nothing else is asked for, and how many after it are tried when it is taken.
const PORT: u16 = 8642;
const OTHERS: u16 = 10;

/// Shows the reports of all sweeps to a browser, here or behind a tunnel.
pub(crate) fn serve(args: &ServeArgs, places: &Places) -> anyhow::Result<Exit> {
    if !places.runs.is_dir() {
        bail!("there is no folder `{}` of runs", places.runs.display());
    }
    let server = listen(args.port)?;
    let stop = Arc::new(Stop::default());
    signals::listen(&stop, Asked::Run, |_| {})?;
    let port = server.port();
    say!("the reports of `{}`; Ctrl-C ends it", places.runs.display());
    say!("on another machine first: ssh -N -L {port}:127.0.0.1:{port} THIS_MACHINE");
    tell!("{}", server.url());
    server.run(Shelf::new(places.runs.clone()), || stop.requested())?;
    Ok(Exit::Done)
}

fn listen(port: Option<u16>) -> Result<Server, ServeError> {
    let token = Token::random()?;
    if let Some(port) = port {
        return Server::bind(port, token);
    }
    let free = (PORT..PORT + OTHERS).find_map(|port| Server::bind(port, token.clone()).ok());
    free.map_or_else(|| Server::bind(PORT, token), Ok)
}
