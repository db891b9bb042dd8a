//! A set of whole numbers as clusters write it: `0-5,9`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// In rising order, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indices(BTreeSet<usize>);

/// Far more than a plan has runs; a range from a stranger must not fill the memory.
const MOST: usize = 4_000_000;

impl Indices {
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().copied()
    }

    pub fn contains(&self, index: usize) -> bool {
        self.0.contains(&index)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<usize> for Indices {
    fn from_iter<I: IntoIterator<Item = usize>>(indices: I) -> Indices {
        Indices(indices.into_iter().collect())
    }
}

impl fmt::Display for Indices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.iter().peekable();
        let mut comma = "";
        while let Some(first) = rest.next() {
            let mut last = first;
            while let Some(next) = rest.next_if_eq(&(last + 1)) {
                last = next;
            }
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                1 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
            comma = ",";
        }
        Ok(())
    }
}

/// `3`, `0-5`, `0-5,9`, and with a step as Slurm prints it, `0-10:2`.
impl FromStr for Indices {
    type Err = String;

    fn from_str(text: &str) -> Result<Indices, String> {
        let mut found = BTreeSet::new();
        for part in text.split(',') {
            let range = range(part).ok_or_else(|| format!("{part:?} is no index and no range"))?;
            let (first, last, step) = range;
            if first > last {
                return Err(format!("the range {part:?} runs backwards"));
            }
            if (last - first) / step + found.len() >= MOST {
                return Err(format!("{part:?} makes more than {MOST} indices"));
            }
            found.extend((first..=last).step_by(step));
        }
        Ok(Indices(found))
    }
}

fn range(text: &str) -> Option<(usize, usize, usize)> {
    let (range, step) = text.split_once(':').unwrap_or((text, "1"));
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    Some((number(first)?, number(last)?, number(step).filter(|step| *step > 0)?))
}

fn number(text: &str) -> Option<usize> {
    let plain = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_short_as_they_can_be_and_back() {
        let check = |indices: &[usize], expected: &str| {
            let set: Indices = indices.iter().copied().collect();
            assert_eq!(set.to_string(), expected);
            if !indices.is_empty() {
                assert_eq!(expected.parse::<Indices>().unwrap(), set);
            }
        };
        check(&[], "");
        check(&[0], "0");
        check(&[5, 0, 1, 2, 3, 4, 9], "0-5,9");
        check(&[1, 2, 4], "1,2,4");
        check(&[7, 7], "7");
    }

    #[test]
    fn what_is_no_set_is_refused() {
        let check = |text: &str, expected: Result<Vec<usize>, &str>| match (
            text.parse::<Indices>(),
            expected,
        ) {
            (Ok(found), Ok(expected)) => assert_eq!(found.iter().collect::<Vec<_>>(), expected),
            (Err(said), Err(words)) => assert!(said.contains(words), "{text}: {said}"),
            (found, _) => panic!("{text}: {found:?}"),
        };
        check("0-10:5", Ok(vec![0, 5, 10]));
        check("3,1", Ok(vec![1, 3]));
        for bad in ["", "a", "-1", "1-", "1,,2", "1 2", "0-5:0", "+1", "1-2-3", "0-5%3"] {
            check(bad, Err("no index"));
        }
        check("5-3", Err("backwards"));
        check("0-18446744073709551615", Err("more than"));
        check("0-99999999999999999999", Err("no index"));
    }
}
