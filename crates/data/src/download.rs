//! One file over HTTP, and the hash that it has to have.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::error::DataError;
use crate::prepared::write_whole;
use crate::store::Progress;

/// The largest published data set has 1.4 GiB; a server that sends for ever is cut off here.
const MAX_BYTES: u64 = 16 << 30;
const STALLED: Duration = Duration::from_secs(60);

/// Downloads `url` into the folder `dir`, which is the caller's to remove.
pub(crate) fn download(
    url: &str,
    dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, DataError> {
    let failed = |reason: String| DataError::Download { url: url.to_string(), reason };
    let mut response = agent(url).get(url).call().map_err(|error| failed(explain(error)))?;
    let total = response.body().content_length();
    let mut body = response.body_mut().with_config().limit(MAX_BYTES).reader();

    let path = dir.join("download");
    let mut file = File::create(&path).map_err(DataError::write(&path))?;
    let mut done = 0;
    let mut buffer = vec![0; 1 << 18];
    loop {
        let n = body
            .read(&mut buffer)
            .map_err(|error| failed(format!("it broke off after {done} bytes: {error}")))?;
        if n == 0 {
            break;
        }
        file.write_all(&buffer[..n]).map_err(DataError::write(&path))?;
        done += n as u64;
        progress(Progress { what: format!("downloading {url}"), done, total, bytes: true });
    }
    if total.is_some_and(|total| total != done) {
        return Err(failed(format!("it broke off after {done} of {} bytes", total.unwrap_or(0))));
    }
    file.sync_all().map_err(DataError::write(&path))?;
    Ok(path)
}

fn agent(url: &str) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(STALLED))
        .timeout_per_read(Some(STALLED));
    // A proxy cannot reach this machine's own servers.
    let is_local = url.starts_with("http://127.0.0.1") || url.starts_with("http://localhost");
    if is_local { config.proxy(None).build().into() } else { config.build().into() }
}

fn explain(error: ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(404) => "the server has no such file (404)".to_string(),
        ureq::Error::StatusCode(code) => format!("the server answered {code}"),
        ureq::Error::HostNotFound => "the host is unknown or there is no network".to_string(),
        other => other.to_string(),
    }
}

/// The sha256 of a file in hexadecimal.
pub(crate) fn sha256(path: &Path) -> Result<String, DataError> {
    let mut file = File::open(path).map_err(DataError::read(path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let n = file.read(&mut buffer).map_err(DataError::read(path))?;
        if n == 0 {
            return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hasher.update(&buffer[..n]);
    }
}

/// A downloaded file and, beside it, the hash that every later download must have.
pub(crate) struct Target {
    pub(crate) path: PathBuf,
    /// From the recipe, where it is pinned there.
    pub(crate) pinned: Option<String>,
}

impl Target {
    fn record(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".sha256");
        name.into()
    }

    /// The hash this file has to have, if one is known.
    pub(crate) fn expected(&self) -> Option<String> {
        let recorded =
            || Some(fs::read_to_string(self.record()).ok()?.split_whitespace().next()?.to_string());
        self.pinned.clone().or_else(recorded)
    }

    /// Whether the file is there and was verified when it came.
    pub(crate) fn is_present(&self) -> bool {
        self.path.is_file() && self.record().is_file()
    }

    /// Moves a verified `file` into place and records its hash.
    ///
    /// # Errors
    /// `Hash`, if it is not the file that the recipe or the first download says it is.
    pub(crate) fn accept(&self, file: &Path) -> Result<String, DataError> {
        let found = sha256(file)?;
        if let Some(expected) = self.expected()
            && expected != found
        {
            let remedy = match self.pinned {
                Some(_) => {
                    "the source changed, or the recipe's sha256 is of another version".to_string()
                }
                None => {
                    format!("delete `{}` if the source changed on purpose", self.record().display())
                }
            };
            return Err(DataError::Hash { file: self.path.clone(), expected, found, remedy });
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        fs::rename(file, &self.path).map_err(DataError::write(&self.path))?;
        write_whole(&self.record(), format!("{found}  {name}\n").as_bytes())?;
        Ok(found)
    }
}
