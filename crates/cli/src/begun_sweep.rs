//! What `sweep` and `submit` do before anything is trained: the file is read, its runs are known, and
//! whatever is to be said about them is said.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use runner::run::Invocation;
use runner::sweep::apply_code_change;
use runner::{PreparedSweep, prepare};
use spec::{OnCodeChange, Plan};
use track::SweepClaim;

use crate::args::{FileArgs, OnlyArgs};
use crate::commands::{as_typed, invocation};
use crate::diagnostics::{filter_or_print, plan_or_print, read_file};
use crate::engine::View;
use crate::places::Places;
use crate::sweep_progress::Preparing;
use crate::terminal::plural;

pub(crate) struct BegunSweep {
    pub(crate) prepared: PreparedSweep,
    /// The sweep file, verbatim.
    pub(crate) toml: String,
    pub(crate) invocation: Invocation,
}

impl BegunSweep {
    /// `None` where the file or the filter is wrong, and that is printed. `adjust` has the last word
    /// on the plan.
    pub(crate) fn begin(
        file: &FileArgs,
        only: &OnlyArgs,
        places: &Places,
        adjust: impl FnOnce(&mut Plan) -> anyhow::Result<()>,
    ) -> anyhow::Result<Option<BegunSweep>> {
        let Some((mut plan, toml)) = plan_or_print(read_file(file, places)?) else {
            return Ok(None);
        };
        let Some(filter) = filter_or_print(only) else { return Ok(None) };
        adjust(&mut plan)?;
        let invocation = invocation();
        let mut preparing = Preparing::new();
        let command = as_typed(&invocation.argv);
        let mut prepared =
            prepare(plan, &places.runs, &places.store(), &command, &mut |it| preparing.show(it))
                .with_context(|| format!("cannot start `{}`", file.file.display()))?;
        preparing.clear();
        filter.iter().for_each(|filter| prepared.restrict_to(filter));
        for note in prepared.notes() {
            say!("note: {note}");
        }
        let begun = BegunSweep { prepared, toml, invocation };
        begun.prepared.sweep.expect_free().with_context(|| begun.at_work())?;
        Ok(Some(begun))
    }

    /// Makes the sweep this process's: nobody else changes what is looked at from here on. Where nothing
    /// comes of it, a sweep that is new leaves no folder.
    pub(crate) fn claim(&self) -> anyhow::Result<SweepClaim> {
        self.prepared.sweep.claim_or_make().with_context(|| self.at_work())
    }

    fn at_work(&self) -> String {
        let name = &self.prepared.plan.name;
        format!(
            "another `cyclelab sweep` or `submit` is at work; `cyclelab status {name}` tells how far it is"
        )
    }

    /// Jobs know runs by their numbers in the plan: of another plan they would do nothing.
    pub(crate) fn expect_the_numbers_of(&self, view: &View) -> anyhow::Result<()> {
        if let Some(job) = view.perhaps_of_other_plan.first() {
            bail!(
                "the file plans other runs of `{}` than job `{job}` was sent for, and Slurm does not answer whether it is \
                 still in the queue; there it would do nothing",
                self.prepared.plan.name
            );
        }
        if view.of_other_plan.is_empty() {
            return Ok(());
        }
        bail!(
            "the file plans other runs of `{}` than jobs that are still in the queue were sent for; these would do \
             nothing. Wait for them, or end them first: scancel {}",
            self.prepared.plan.name,
            view.of_other_plan.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
        );
    }

    /// Whether runs that other code has worked on are kept, and trained on by the present.
    pub(crate) fn mind_the_code(&mut self, claim: &SweepClaim) -> anyhow::Result<bool> {
        let code = self.invocation.code.to_string();
        let other = apply_code_change(&mut self.prepared, claim, &code)?;
        let rule = self.prepared.plan.exec.on_code_change;
        if !other.is_empty() {
            match rule {
                OnCodeChange::Reuse => {}
                OnCodeChange::Warn => say!(
                    "note: {} finished or begun under other code than the present {code} and kept \
                     (exec.on_code_change = \"rerun\" trains them again)",
                    plural(other.len(), "run"),
                ),
                OnCodeChange::Rerun => say!(
                    "note: {} finished or begun under other code, set aside and trained again",
                    plural(other.len(), "run"),
                ),
            }
        }
        Ok(!other.is_empty() && rule != OnCodeChange::Rerun)
    }
}

/// Some images must not be mirrored: shaded relief is lit from one side.
pub(crate) fn mind_the_mirror(plan: &Plan, places: &Places) {
    let mirrored = plan.cells.iter().filter(|cell| cell.config.data.flip);
    let names = mirrored.filter_map(|cell| cell.config.data.dataset.as_deref());
    for name in names.collect::<BTreeSet<_>>() {
        if places.store().book().get(name).is_ok_and(|recipe| !recipe.flip_valid) {
            say!("note: `{name}` should not be mirrored; consider data.flip = false");
        }
    }
}

/// What is asked, and how much of it is left; how many runs are to be trained.
pub(crate) fn announce(prepared: &PreparedSweep) -> usize {
    let (all, asked) = (prepared.entries.len(), prepared.asked().count());
    let (rescored, left): (Vec<usize>, Vec<usize>) =
        prepared.to_do().partition(|&index| prepared.is_unscored(index));
    let (rescored, left) = (rescored.len(), left.len());
    let done = asked - left - rescored;
    let data = &prepared.record.dataset;
    let begun = prepared.to_do().filter(|&i| prepared.runs[i].attempts > 0).count() - rescored;
    say!("{}", prepared.plan.question);
    say!(
        "{}: {} × {} = {}{}; {done} done, {left} to train{}{}",
        prepared.plan.name,
        plural(prepared.plan.cells.len(), "cell"),
        plural(prepared.plan.seeds.len(), "seed"),
        plural(all, "run"),
        if asked < all { format!(", of which --only asks for {asked}") } else { String::new() },
        if begun > 0 { format!(" ({begun} of them begun before)") } else { String::new() },
        if rescored > 0 { format!(", {rescored} to score again") } else { String::new() },
    );
    if data.skipped > 0 {
        say!(
            "note: {} left out as unreadable; the report names them",
            plural(data.skipped, "image")
        );
    }
    for (fold, a, b) in &data.counts {
        if *a == 0 || *b == 0 {
            say!(
                "note: the {fold} fold has {a} images of A and {b} of B; scores of one direction are missing"
            );
        }
    }
    let leaving = leaving(prepared);
    if leaving > 0 {
        let leave = if leaving == 1 { "leaves it and is kept" } else { "leave it and are kept" };
        say!("note: the plan changed; {} of the earlier one {leave}", plural(leaving, "run"));
    }
    let counts = data.counts.iter().map(|(fold, a, b)| format!("{fold} {a} + {b}"));
    say!("data: {} ({})", data.title, counts.collect::<Vec<_>>().join(", "));
    left
}

/// Runs of the plan as it was before that are not in this one.
fn leaving(prepared: &PreparedSweep) -> usize {
    let Ok((_, before)) = prepared.sweep.read_plan() else { return 0 };
    let stays = |key: &str| prepared.entries.iter().any(|entry| entry.key == key);
    before.iter().filter(|entry| !stays(&entry.key)).count()
}
