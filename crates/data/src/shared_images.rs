//! Images that lie in two folds: a model that was trained on them, or is compared with them, is
//! scored too well.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::dataset::Dataset;
use crate::error::visible;
use crate::fold::{Domain, Fold};

/// Images of one fold that are also in another fold of their domain: files of equal bytes. The same
/// picture encoded anew is not found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedImages {
    pub domain: Domain,
    pub fold: Fold,
    /// The fold that has them too; it comes first in [`Fold::ALL`].
    pub among: Fold,
    /// At least 1.
    pub count: usize,
    /// All images of `fold` and `domain`.
    pub of: usize,
    /// The first of them, by its id in `fold`.
    pub example: String,
}

impl fmt::Display for SharedImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fold, among) = (self.fold.name(), self.among.name());
        let verb = if self.count == 1 { "is" } else { "are" };
        write!(
            f,
            "{} of {} images {:?} of {fold} {verb} among those of {among}, such as {}",
            self.count,
            self.of,
            self.domain,
            visible(&self.example)
        )
    }
}

impl Dataset {
    /// For each domain and pair of folds what they have in common; empty where nothing is.
    pub fn shared(&self) -> Vec<SharedImages> {
        let mut found = Vec::new();
        for domain in Domain::ALL {
            for (at, fold) in Fold::ALL.into_iter().enumerate() {
                for among in Fold::ALL.into_iter().take(at) {
                    found.extend(self.shared_by(domain, fold, among));
                }
            }
        }
        found
    }

    fn shared_by(&self, domain: Domain, fold: Fold, among: Fold) -> Option<SharedImages> {
        let others: BTreeSet<&String> = self.contents(among, domain).iter().collect();
        let own = self.contents(fold, domain);
        let both: Vec<usize> = (0..own.len()).filter(|i| others.contains(&own[*i])).collect();
        let example = self.id(fold, domain, *both.first()?).to_string();
        Some(SharedImages { domain, fold, among, count: both.len(), of: own.len(), example })
    }
}
