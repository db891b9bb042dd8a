//! How an open page comes to show what is new on disk, without a server.
//!
//! A page of a sweep that is at work asks, every few seconds, the script `live.js` beside it for the
//! stamp of the newest page, and loads itself again where that is not its own. A page may not read a
//! file next to it on disk, but it may run one. When the sweep has ended the script is gone: the page
//! loads itself a last time and finds one that asks no more.

use sha2::{Digest, Sha256};

/// Beside the page, as long as it is live.
pub(crate) const NEWS_FILE: &str = "live.js";

/// In the head of a live page, for a reader without scripts.
pub(crate) const WITHOUT_SCRIPTS: &str =
    "\n<noscript><meta http-equiv=\"refresh\" content=\"60\"></noscript>";

/// What is in the page, in few letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp(String);

impl Stamp {
    pub(crate) fn of(parts: &[&str]) -> Stamp {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        Stamp(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// What a reader sees of it, and stops it with.
    pub(crate) fn control(&self) -> String {
        format!(
            "\n<p class=\"live\" id=\"live\" data-stamp=\"{}\" hidden><label><input type=\"checkbox\" checked> \
             Live</label> <span role=\"status\"></span></p>",
            self.0
        )
    }

    /// The script beside the page.
    pub(crate) fn news(&self) -> String {
        format!("cyclelabNews(\"{}\");\n", self.0)
    }
}
