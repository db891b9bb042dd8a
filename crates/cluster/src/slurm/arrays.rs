//! Runs laid out as job arrays.
//!
//! Slurm refuses an array of which an index is not below `MaxArraySize`, and gives all tasks of one
//! array the same resources. So there is one array per class and window of indices, and what may
//! run at a time is shared out among them.

use crate::indices::Indices;

/// One array: which tasks it has, and which runs these are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// 0: the sweep's own resources; else the class, counted from 1.
    pub class: usize,
    /// As `--array` takes them.
    pub tasks: Indices,
    pub runs: Runs,
}

/// Which runs a task trains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runs {
    /// One: the task's number plus this.
    Offset(usize),
    /// Those that are listed for it: several, or one where the numbers themselves would be a long list.
    Packed(Vec<Indices>),
}

/// An array and when it may work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayPlan {
    pub array: Array,
    /// Tasks at a time; `None`: as many as there is room for.
    pub throttle: Option<u32>,
    /// The earlier array, by position, after whose end this one begins.
    pub after: Option<usize>,
}

impl Array {
    /// All of them.
    pub fn indices(&self) -> Indices {
        match &self.runs {
            Runs::Offset(offset) => self.tasks.iter().map(|task| task + offset).collect(),
            Runs::Packed(packed) => packed.iter().flat_map(Indices::iter).collect(),
        }
    }

    pub fn offset(&self) -> usize {
        match &self.runs {
            Runs::Offset(offset) => *offset,
            Runs::Packed(_) => 0,
        }
    }

    /// What each task trains, where that is listed; empty elsewhere.
    pub fn packed(&self) -> &[Indices] {
        match &self.runs {
            Runs::Offset(_) => &[],
            Runs::Packed(packed) => packed,
        }
    }
}

/// A list of tasks that can be taken in at a glance. `sbatch` refuses one of a few thousand characters.
const LONGEST_LIST: usize = 100;

/// `runs` are indices with their class. No task's number reaches `max_array_size`, and all arrays
/// together have at most `max_parallel` tasks at work.
pub fn lay_out(
    runs: &[(usize, usize)],
    runs_per_task: u32,
    max_array_size: usize,
    max_parallel: Option<u32>,
) -> Vec<ArrayPlan> {
    let room = max_array_size.max(1);
    let mut classes: Vec<usize> = runs.iter().map(|(_, class)| *class).collect();
    classes.sort_unstable();
    classes.dedup();
    let mut arrays = Vec::new();
    for class in classes {
        let of_class = runs.iter().filter(|(_, it)| *it == class).map(|(index, _)| *index);
        match runs_per_task {
            0..=1 => arrays.extend(single(class, &of_class.collect(), room)),
            // In the order they are to be started, which is the plan's.
            several => arrays.extend(packed(class, of_class.collect(), several as usize, room)),
        }
    }
    throttled(arrays, max_parallel)
}

/// Windows lie at multiples of the room, so that a run has the same task's number every time; but for
/// the rest of a sweep that is left in many pieces, which is listed.
fn single(class: usize, indices: &Indices, room: usize) -> Vec<Array> {
    let mut arrays: Vec<(usize, Vec<usize>)> = Vec::new();
    for index in indices.iter() {
        let offset = index - index % room;
        match arrays.last_mut() {
            Some((last, tasks)) if *last == offset => tasks.push(index - offset),
            _ => arrays.push((offset, vec![index - offset])),
        }
    }
    let windows = arrays.into_iter().map(|(offset, tasks)| (offset, Indices::from_iter(tasks)));
    let windows: Vec<(usize, Indices)> = windows.collect();
    if windows.iter().any(|(_, tasks)| tasks.to_string().len() > LONGEST_LIST) {
        return packed(class, indices.iter().collect(), 1, room);
    }
    let array = |(offset, tasks)| Array { class, tasks, runs: Runs::Offset(offset) };
    windows.into_iter().map(array).collect()
}

fn packed(class: usize, indices: Vec<usize>, several: usize, room: usize) -> Vec<Array> {
    let tasks: Vec<Indices> =
        indices.chunks(several).map(|it| it.iter().copied().collect()).collect();
    let array = |tasks: &[Indices]| Array {
        class,
        tasks: (0..tasks.len()).collect(),
        runs: Runs::Packed(tasks.to_vec()),
    };
    tasks.chunks(room).map(array).collect()
}

/// Where there are more arrays than tasks may run, they follow each other in as many rows.
fn throttled(arrays: Vec<Array>, max_parallel: Option<u32>) -> Vec<ArrayPlan> {
    let sizes: Vec<usize> = arrays.iter().map(|array| array.tasks.len()).collect();
    let most = max_parallel.map_or(usize::MAX, |most| (most as usize).max(1));
    let shares = match sizes.iter().sum::<usize>() <= most {
        true => vec![None; sizes.len()],
        false if sizes.len() > most => vec![Some(1); sizes.len()],
        false => shares(&sizes, most),
    };
    let rows = |at: usize| (sizes.len() > most).then(|| at.checked_sub(most)).flatten();
    let plan = |(at, (array, throttle)): (usize, (Array, Option<u32>))| ArrayPlan {
        array,
        throttle,
        after: rows(at),
    };
    arrays.into_iter().zip(shares).enumerate().map(plan).collect()
}

/// In proportion to the sizes, each at least 1, together exactly `most`.
fn shares(sizes: &[usize], most: usize) -> Vec<Option<u32>> {
    let mut shares = vec![1_usize; sizes.len()];
    for _ in sizes.len()..most {
        // To whom has to go through the most rounds; there is one, since not all fit at once.
        let rounds = |at: &usize| sizes[*at] as f64 / shares[*at] as f64;
        let slowest = (0..sizes.len()).max_by(|a, b| rounds(a).total_cmp(&rounds(b)));
        shares[slowest.expect("there are arrays")] += 1;
    }
    shares.into_iter().map(|share| u32::try_from(share).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_one_class(indices: impl IntoIterator<Item = usize>) -> Vec<(usize, usize)> {
        indices.into_iter().map(|index| (index, 0)).collect()
    }

    /// Class, tasks, offset, throttle, predecessor.
    fn shown(plans: &[ArrayPlan]) -> Vec<String> {
        let shown = plans.iter().map(|it| {
            let throttle = it.throttle.map_or(String::new(), |n| format!("%{n}"));
            let after = it.after.map_or(String::new(), |at| format!(" after {at}"));
            let Array { class, tasks, .. } = &it.array;
            format!("{class}: {tasks}{throttle} +{}{after}", it.array.offset())
        });
        shown.collect()
    }

    #[test]
    fn windows_classes_and_throttles() {
        let check = |runs: &[(usize, usize)], room, parallel, expected: &[&str]| {
            assert_eq!(shown(&lay_out(runs, 1, room, parallel)), expected);
        };
        check(&of_one_class(0..6), 1001, None, &["0: 0-5 +0"]);
        check(&of_one_class(0..6), 1001, Some(3), &["0: 0-5%3 +0"]);
        check(&of_one_class(0..6), 1001, Some(6), &["0: 0-5 +0"]);
        check(&of_one_class([2, 9, 10]), 8, None, &["0: 2 +0", "0: 1,2 +8"]);
        check(&of_one_class(0..12), 8, Some(6), &["0: 0-7%4 +0", "0: 0-3%2 +8"]);
        let rows = ["0: 0,1%1 +0", "0: 0,1%1 +2", "0: 0,1%1 +4 after 0", "0: 0%1 +6 after 1"];
        check(&of_one_class(0..7), 2, Some(2), &rows);
        let mixed = [(0, 0), (1, 2), (2, 0), (3, 2)];
        check(&mixed, 1001, Some(2), &["0: 0,2%1 +0", "2: 1,3%1 +0"]);
        check(&[], 1001, None, &[]);
    }

    /// What must hold of any layout.
    #[test]
    fn every_run_once_and_never_too_many() {
        let mut draw = spec::Draw::new(1, spec::Purpose::Synthetic, 0, 0);
        for case in 0..300 {
            let classes: Vec<u64> = (0..60).map(|_| draw.below(5)).collect();
            let runs: Vec<(usize, usize)> = (0..60)
                .filter(|&index| classes[index] < 3)
                .map(|index| (index, classes[index] as usize))
                .collect();
            let (room, per_task) = (1 + draw.below(20) as usize, 1 + draw.below(4) as u32);
            let parallel = draw.below(9) as u32;
            let plans = lay_out(&runs, per_task, room, (parallel > 0).then_some(parallel));

            let mut sent: Vec<(usize, usize)> = Vec::new();
            for plan in &plans {
                assert!(plan.array.tasks.iter().all(|task| task < room), "{case}: {plans:?}");
                sent.extend(plan.array.indices().iter().map(|index| (index, plan.array.class)));
                for several in plan.array.packed() {
                    assert!(several.len() <= per_task as usize, "{case}: {plans:?}");
                }
            }
            sent.sort_unstable();
            assert_eq!(sent, runs, "{case}");

            // Those that wait for no other are at work together; each that waits replaces one.
            let at_once = |it: &ArrayPlan| {
                let tasks = it.array.tasks.len();
                it.throttle.map_or(tasks, |most| tasks.min(most as usize))
            };
            let first: usize = plans.iter().filter(|it| it.after.is_none()).map(at_once).sum();
            if parallel > 0 {
                assert!(first <= parallel as usize, "{case}: {plans:?}");
                let followed: Vec<usize> = plans.iter().filter_map(|it| it.after).collect();
                let unique: std::collections::BTreeSet<_> = followed.iter().collect();
                assert_eq!(unique.len(), followed.len(), "{case}: two follow one: {plans:?}");
            }
        }
    }

    /// Every other run of thousands, as a sweep may be left: a list of that would be refused.
    #[test]
    fn a_rest_in_many_pieces_is_listed() {
        let odd: Vec<usize> = (0..3000).map(|index| 2 * index + 1).collect();
        for (room, arrays) in [(10_001, 1), (1001, 3)] {
            let plans = lay_out(&of_one_class(odd.iter().copied()), 1, room, Some(50));
            assert_eq!(plans.len(), arrays);
            let mut sent = Vec::new();
            for plan in &plans {
                assert!(plan.array.tasks.to_string().len() <= LONGEST_LIST, "{plan:?}");
                assert!(plan.array.tasks.iter().all(|task| task < room));
                assert!(plan.array.packed().iter().all(|runs| runs.len() == 1));
                sent.extend(plan.array.indices().iter());
            }
            assert_eq!(sent, odd);
        }
        let short = lay_out(&of_one_class([1, 3, 5, 900]), 1, 1001, None);
        assert_eq!(shown(&short), ["0: 1,3,5,900 +0"]);
    }

    #[test]
    fn several_runs_a_task() {
        let plans = lay_out(&of_one_class([0, 1, 2, 5, 8]), 2, 2, None);
        let packed: Vec<Vec<String>> = plans
            .iter()
            .map(|it| it.array.packed().iter().map(ToString::to_string).collect())
            .collect();
        assert_eq!(packed, [vec!["0,1", "2,5"], vec!["8"]]);
        assert_eq!(plans[1].array.tasks.to_string(), "0");
        assert_eq!(plans[0].array.indices().to_string(), "0-2,5");
    }
}
