//! Which images are for training and which are held out.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One of the two sides that the networks translate between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    A,
    B,
}

impl Domain {
    pub const ALL: [Domain; 2] = [Domain::A, Domain::B];

    pub fn other(self) -> Domain {
        match self {
            Domain::A => Domain::B,
            Domain::B => Domain::A,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fold {
    Train,
    /// Looked at while choosing.
    Val,
    /// Real images apart from all others, which outputs and held-out real images alike are compared
    /// with: without them there is no gain.
    Ref,
    /// Scored once, at the end.
    Test,
}

impl Fold {
    pub const ALL: [Fold; 4] = [Fold::Train, Fold::Val, Fold::Ref, Fold::Test];

    /// As in the names of folders and in commands.
    pub fn name(self) -> &'static str {
        match self {
            Fold::Train => "train",
            Fold::Val => "val",
            Fold::Ref => "ref",
            Fold::Test => "test",
        }
    }
}

/// Inclusive ranges of the 20 buckets that keys are hashed to.
///
/// A key is whatever must not be split over folds: an emoji with its variants,
/// a block of map tiles. No key is in both training domains, so no model is
/// ever shown a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldBuckets {
    pub train_a: [u32; 2],
    pub train_b: [u32; 2],
    pub val: [u32; 2],
    #[serde(rename = "ref")]
    pub reference: [u32; 2],
    pub test: [u32; 2],
}

impl Default for FoldBuckets {
    fn default() -> Self {
        FoldBuckets {
            train_a: [0, 5],
            train_b: [6, 11],
            val: [12, 12],
            reference: [13, 15],
            test: [16, 19],
        }
    }
}

impl FoldBuckets {
    const COUNT: u32 = 20;

    /// Every (fold, domain) in which `key` is used: one in training, both when held out.
    pub(crate) fn places(&self, key: &str) -> &'static [(Fold, Domain)] {
        let bucket = bucket(key);
        let within = |range: [u32; 2]| (range[0]..=range[1]).contains(&bucket);
        if within(self.train_a) {
            &[(Fold::Train, Domain::A)]
        } else if within(self.train_b) {
            &[(Fold::Train, Domain::B)]
        } else if within(self.val) {
            &[(Fold::Val, Domain::A), (Fold::Val, Domain::B)]
        } else if within(self.reference) {
            &[(Fold::Ref, Domain::A), (Fold::Ref, Domain::B)]
        } else if within(self.test) {
            &[(Fold::Test, Domain::A), (Fold::Test, Domain::B)]
        } else {
            &[]
        }
    }

    /// Why these ranges cannot be used, if they cannot.
    pub(crate) fn fault(&self) -> Option<String> {
        let ranges = [self.train_a, self.train_b, self.val, self.reference, self.test];
        for (i, [low, high]) in ranges.into_iter().enumerate() {
            if low > high || high >= Self::COUNT {
                return Some(format!(
                    "folds: [{low}, {high}] is not a range of buckets 0 to {}",
                    Self::COUNT - 1
                ));
            }
            if ranges[..i].iter().any(|&[l, h]| low <= h && l <= high) {
                return Some(format!("folds: [{low}, {high}] overlaps another range"));
            }
        }
        None
    }
}

fn bucket(key: &str) -> u32 {
    let hash = Sha256::digest(key.as_bytes());
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) % FoldBuckets::COUNT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_the_first_four_bytes_of_sha256() {
        // python3 -c "import hashlib; print(int.from_bytes(hashlib.sha256(b'1f600').digest()[:4],'big')%20)"
        for (key, expected) in [("1f600", 1), ("", 10), ("person-1f680", 4)] {
            assert_eq!(bucket(key), expected, "{key}");
        }
    }

    #[test]
    fn a_key_is_never_in_both_training_domains() {
        let buckets = FoldBuckets::default();
        for i in 0..500 {
            let places = buckets.places(&i.to_string());
            let train = places.iter().filter(|(fold, _)| *fold == Fold::Train).count();
            assert!(
                if train > 0 { places.len() == 1 } else { places.len() == 2 },
                "{i}: {places:?}"
            );
        }
    }

    #[test]
    fn unusable_ranges_are_refused() {
        let check = |change: &dyn Fn(&mut FoldBuckets), expected: Option<&str>| {
            let mut buckets = FoldBuckets::default();
            change(&mut buckets);
            let fault = buckets.fault();
            assert_eq!(fault.is_some(), expected.is_some(), "{fault:?}");
            assert!(fault.unwrap_or_default().contains(expected.unwrap_or_default()));
        };
        check(&|_| (), None);
        check(&|b| b.test = [15, 19], Some("overlaps"));
        check(&|b| b.test = [19, 16], Some("not a range"));
        check(&|b| b.test = [16, 20], Some("not a range"));
    }
}
