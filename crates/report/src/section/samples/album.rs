//! The pictures that go into the page, as many as the budget holds.
//!
//! It is spent share by share, in the order in which a reader would miss them, and ends at the
//! first that does not fit: so what is left out can be said in a sentence.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rayon::prelude::*;
use track::SampleKind;

use super::catalogue::{Catalogue, GIVEN, Slot};
use super::picture::Picture;
use crate::PictureFile;

/// What is left out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// One input through every column: the first seed at its last step.
    Input(usize),
    /// Another seed's runs at their last step.
    Seed(u64),
    /// A seed's runs at a step before.
    Step { seed: u64, step: u64 },
}

impl Share {
    pub(super) fn input(&self) -> Option<usize> {
        match *self {
            Share::Input(input) => Some(input),
            _ => None,
        }
    }
}

pub(super) struct Album {
    /// Each is there once, however many runs made it.
    pub(super) pictures: Vec<Picture>,
    /// Where a picture that was saved could not be read, there is none.
    pub(super) places: BTreeMap<Slot, Option<usize>>,
    /// All shares, and how many of them are in.
    shares: Vec<Share>,
    taken: usize,
}

impl Album {
    pub(super) fn fill(
        catalogue: &Catalogue<'_>,
        budget: usize,
        problems: &mut Vec<(PathBuf, String)>,
    ) -> Album {
        let shares = shares(catalogue);
        let mut album = Album { pictures: Vec::new(), places: BTreeMap::new(), shares, taken: 0 };
        let mut by_hash = BTreeMap::new();
        let mut spent = 0;
        for at in 0..album.shares.len() {
            let found = read(catalogue, album.shares[at]);
            spent += cost(album.shares[at], &found, &by_hash);
            // The first input is there whatever it costs: without it there is nothing to see.
            if spent > budget && at > 0 {
                break;
            }
            for (slot, path, picture) in found {
                let place = match picture {
                    Ok(picture) => {
                        Some(*by_hash.entry(picture.hash.clone()).or_insert_with(|| {
                            album.pictures.push(picture);
                            album.pictures.len() - 1
                        }))
                    }
                    Err(reason) => {
                        problems.push((path, reason));
                        None
                    }
                };
                album.places.insert(slot, place);
            }
            album.taken = at + 1;
        }
        album
    }

    pub(super) fn taken(&self) -> &[Share] {
        &self.shares[..self.taken]
    }

    /// Those of which at least the last step is in.
    pub(super) fn seeds(&self, catalogue: &Catalogue<'_>) -> Vec<u64> {
        let is_in = |seed: &&u64| {
            **seed == catalogue.seeds[0] || self.taken().contains(&Share::Seed(**seed))
        };
        catalogue.seeds.iter().filter(is_in).copied().collect()
    }

    /// Steps of which at least one run's pictures are in.
    pub(super) fn steps(&self, catalogue: &Catalogue<'_>) -> Vec<u64> {
        let is_in = |step: &u64| {
            catalogue.shelves.iter().any(|((column, seed), shelf)| {
                shelf.steps.contains(step) && self.holds(catalogue, *column, *seed, *step)
            })
        };
        catalogue.steps().into_iter().filter(is_in).collect()
    }

    /// Whether a run's pictures of a step that it saved are in.
    pub(super) fn holds(
        &self,
        catalogue: &Catalogue<'_>,
        column: usize,
        seed: u64,
        step: u64,
    ) -> bool {
        let is_last = catalogue.shelves[&(column, seed)].steps.last() == Some(&step);
        match is_last {
            true => self.seeds(catalogue).contains(&seed),
            false => self.taken().contains(&Share::Step { seed, step }),
        }
    }

    /// Each once, in order of their names.
    pub(super) fn files(&self) -> Vec<PictureFile> {
        let mut files: Vec<PictureFile> =
            self.pictures.iter().filter_map(|picture| picture.file.clone()).collect();
        files.sort();
        files
    }

    pub(super) fn left_out(&self) -> &[Share] {
        &self.shares[self.taken..]
    }
}

fn shares(catalogue: &Catalogue<'_>) -> Vec<Share> {
    let Some((_, others)) = catalogue.seeds.split_first() else { return Vec::new() };
    let mut shares: Vec<Share> = in_turn(catalogue).into_iter().map(Share::Input).collect();
    shares.extend(others.iter().map(|seed| Share::Seed(*seed)));
    for seed in &catalogue.seeds {
        let steps: BTreeSet<u64> = shelves_of(catalogue, *seed)
            .flat_map(|(_, steps)| steps.iter().rev().skip(1).copied())
            .collect();
        shares.extend(steps.iter().rev().map(|step| Share::Step { seed: *seed, step: *step }));
    }
    shares
}

/// The first input of each domain, then the second of each: what is left out is left out of both.
fn in_turn(catalogue: &Catalogue<'_>) -> Vec<usize> {
    let mut inputs: Vec<(usize, usize)> = Vec::new();
    for (at, input) in catalogue.inputs.iter().enumerate() {
        let before = catalogue.inputs[..at].iter().filter(|it| it.domain == input.domain).count();
        inputs.push((before, at));
    }
    inputs.sort_unstable();
    inputs.into_iter().map(|(_, at)| at).collect()
}

fn shelves_of<'a>(
    catalogue: &'a Catalogue<'_>,
    seed: u64,
) -> impl Iterator<Item = (usize, &'a [u64])> {
    let of_seed = catalogue.shelves.iter().filter(move |((_, of), _)| *of == seed);
    of_seed.map(|((column, _), shelf)| (*column, &*shelf.steps))
}

/// Every saved picture of a share: on all cores, in the order of its slots.
fn read(catalogue: &Catalogue<'_>, share: Share) -> Vec<(Slot, PathBuf, Result<Picture, String>)> {
    let files: Vec<(Slot, PathBuf)> = slots(catalogue, share)
        .into_iter()
        .filter_map(|slot| Some((slot, catalogue.file(slot)?)))
        .collect();
    let read = |(slot, path): (Slot, PathBuf)| {
        let picture = Picture::read(&path);
        (slot, path, picture)
    };
    files.into_par_iter().map(read).collect()
}

fn slots(catalogue: &Catalogue<'_>, share: Share) -> Vec<Slot> {
    let all: Vec<usize> = (0..catalogue.inputs.len()).collect();
    match share {
        Share::Input(input) => {
            let given = GIVEN.map(|kind| Slot::Given { kind, input });
            let first = catalogue.seeds[0];
            given.into_iter().chain(made(catalogue, first, None, &[input])).collect()
        }
        Share::Seed(seed) => made(catalogue, seed, None, &all),
        Share::Step { seed, step } => made(catalogue, seed, Some(step), &all),
    }
}

/// Of the runs' last steps, or of one step where that is not the last.
fn made(catalogue: &Catalogue<'_>, seed: u64, before: Option<u64>, inputs: &[usize]) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (column, steps) in shelves_of(catalogue, seed) {
        let Some(&last) = steps.last() else { continue };
        let step = match before {
            Some(step) if step == last || steps.binary_search(&step).is_err() => continue,
            before => before.unwrap_or(last),
        };
        for &kind in &catalogue.made {
            let slot = |&input: &usize| Slot::Made { column, seed, step, kind, input };
            slots.extend(inputs.iter().map(slot));
        }
    }
    slots
}

/// Bytes of the page. What it shows by itself stands in it as often as it is shown.
fn cost(
    share: Share,
    found: &[(Slot, PathBuf, Result<Picture, String>)],
    by_hash: &BTreeMap<String, usize>,
) -> usize {
    let mut new = BTreeSet::new();
    let cost = |(slot, _, picture): &(Slot, PathBuf, Result<Picture, String>)| {
        let Ok(picture) = picture else { return 0 };
        let is_new = !by_hash.contains_key(&picture.hash) && new.insert(picture.hash.clone());
        let by_itself = !matches!(slot, Slot::Made { kind: SampleKind::Idt, .. });
        let shown = by_itself && matches!(share, Share::Input(_));
        if is_new || shown { picture.address.len() } else { 0 }
    };
    found.iter().map(cost).sum()
}
