//! Progress on a terminal as bars, elsewhere as lines.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use runner::sweep::SweepUpdate;
use runner::{PreparedSweep, TrainEvent};
use track::RunState;

use crate::terminal::{duration, number, plain};

/// Lines about a running training are this far apart where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// Bars, or lines, for a whole sweep.
pub(crate) struct SweepProgress {
    labels: Vec<String>,
    /// What the sweep is judged by.
    metric: String,
    bars: Option<Bars>,
    /// The time left is that of the stop.
    stopping: AtomicBool,
    state: Mutex<State>,
}

struct Bars {
    all: MultiProgress,
    sweep: ProgressBar,
    slots: Vec<ProgressBar>,
}

struct State {
    began: Instant,
    /// Steps of runs that are waiting, in training, or ended in this invocation.
    total_steps: Vec<u64>,
    to_do: Vec<usize>,
    done_steps: BTreeMap<usize, u64>,
    /// Steps that were done before this invocation: they took none of its time.
    inherited: BTreeMap<usize, u64>,
    finished: usize,
    last_line: BTreeMap<usize, Instant>,
}

impl SweepProgress {
    pub(crate) fn new(prepared: &PreparedSweep, slots: usize) -> Self {
        let label =
            |entry: &track::PlanEntry| format!("{} seed {}", plain(&entry.label), entry.seed);
        let labels: Vec<String> = prepared.entries.iter().map(label).collect();
        let to_do: Vec<usize> = prepared.to_do().collect();
        let bars = (std::io::stderr().is_terminal() && !to_do.is_empty())
            .then(|| Bars::new(&labels, slots, to_do.len()));
        let state = State {
            began: Instant::now(),
            total_steps: prepared.total_steps.clone(),
            to_do,
            done_steps: BTreeMap::new(),
            inherited: BTreeMap::new(),
            finished: 0,
            last_line: BTreeMap::new(),
        };
        let metric = prepared.plan.metric.name.clone();
        let stopping = AtomicBool::new(false);
        SweepProgress { labels, metric, bars, stopping, state: Mutex::new(state) }
    }

    pub(crate) fn update(&self, update: &SweepUpdate) {
        let mut state = self.state.lock().expect("progress is shown by one thread at a time");
        match update {
            SweepUpdate::RunStarted { slot, index } => self.started(*slot, *index),
            SweepUpdate::Train { slot, index, event } => {
                self.train(&mut state, *slot, *index, event);
            }
            SweepUpdate::RunEnded { slot, index, state: ended } => {
                let over = ended.is_result() || ended.is_failure();
                state.finished += usize::from(over);
                let total = state.total_steps[*index];
                if matches!(ended, RunState::Completed | RunState::Diverged { .. }) {
                    state.done_steps.insert(*index, total);
                }
                self.ended(&state, *slot, *index, ended);
            }
            SweepUpdate::Retrying { index, state: ended, retry, of, after } => {
                let pause = match after.is_zero() {
                    true => String::new(),
                    false => format!(" in {}", duration(*after)),
                };
                self.say(&format!(
                    "{}: {}; tried again{pause} ({retry} of {of})",
                    self.labels[*index],
                    in_state(ended)
                ));
            }
            SweepUpdate::Elsewhere { index, owner } => {
                self.say(&format!("{}: waiting for {owner}, which trains it", self.labels[*index]));
            }
            SweepUpdate::Warning { message } => self.say(&format!("warning: {message}")),
            SweepUpdate::Closing { reason } => {
                self.say(&format!("starting no more runs: {reason}"))
            }
        }
        if let Some(bars) = &self.bars {
            bars.sweep.set_position(state.finished as u64);
            if !self.stopping.load(Ordering::Relaxed) {
                bars.sweep.set_message(state.time_left());
            }
        }
    }

    /// Answers a signal; `grace` is what runs are given to save.
    pub(crate) fn stopping(self: &Arc<Self>, level: u8, grace: Duration) {
        match level {
            1 => {
                let most = duration(grace);
                self.say(&format!("stopping: runs save a checkpoint and end, within {most}"));
                self.count_down(grace);
            }
            2 => self.say("stopping: runs are told by SIGTERM (again: kill them)"),
            _ => self.say(
                "killing the runs; what they did since their last checkpoint is repeated next time",
            ),
        }
    }

    /// Until the bars are gone.
    fn count_down(self: &Arc<Self>, grace: Duration) {
        self.stopping.store(true, Ordering::Relaxed);
        let (progress, began) = (Arc::downgrade(self), Instant::now());
        std::thread::spawn(move || {
            while let Some(progress) = progress.upgrade()
                && let Some(bars) = &progress.bars
                && !bars.sweep.is_finished()
            {
                let left = grace.saturating_sub(began.elapsed());
                bars.sweep.set_message(format!("stopping, {} s left", left.as_secs()));
                std::thread::sleep(Duration::from_secs(1));
            }
        });
    }

    pub(crate) fn finish(&self) {
        if let Some(bars) = &self.bars {
            bars.slots.iter().for_each(ProgressBar::finish_and_clear);
            bars.sweep.finish_and_clear();
        }
    }

    fn started(&self, slot: usize, index: usize) {
        if let Some(bars) = &self.bars {
            let bar = &bars.slots[slot];
            bar.reset();
            bar.set_length(1);
            bar.set_prefix(self.labels[index].clone());
            bar.set_message("starting");
        }
    }

    fn train(&self, state: &mut State, slot: usize, index: usize, event: &TrainEvent) {
        let step = match event {
            TrainEvent::Started { from_step, .. } => {
                state.inherited.insert(index, *from_step);
                Some(*from_step)
            }
            TrainEvent::Step { step } => Some(*step),
            _ => None,
        };
        state.done_steps.extend(step.map(|step| (index, step)));
        if let TrainEvent::Warning { message } = event {
            self.say(&format!("{}: {message}", self.labels[index]));
        }
        match &self.bars {
            Some(bars) => show_on_bar(&bars.slots[slot], event, &self.metric),
            None => self.line(state, index, event),
        }
    }

    /// Where there is no terminal: losses now and then, scores at once.
    fn line(&self, state: &mut State, index: usize, event: &TrainEvent) {
        let label = &self.labels[index];
        match event {
            TrainEvent::Started { from_step: 0, total_steps, device } => {
                self.say(&format!("{label}: {total_steps} steps on {device}"));
            }
            TrainEvent::Started { from_step, total_steps, device } => {
                self.say(&format!(
                    "{label}: goes on at step {from_step} of {total_steps} on {device}"
                ));
            }
            TrainEvent::Losses { step, step_s, losses } => {
                let due = state.last_line.get(&index).is_none_or(|at| at.elapsed() >= LINE_EVERY);
                if due {
                    state.last_line.insert(index, Instant::now());
                    let (total, left) = (state.total_steps[index], state.time_left());
                    let left = if left.is_empty() { left } else { format!("; {left}") };
                    self.say(&format!(
                        "{label}: step {step}/{total}, {:.0} ms a step, {}{left}",
                        step_s * 1e3,
                        in_words(losses),
                    ));
                }
            }
            TrainEvent::Evaluated { step, fold, scores } => {
                let scores = in_words(&headline(scores, &self.metric));
                self.say(&format!("{label}: evaluated on {fold} at step {step}: {scores}"));
            }
            _ => {}
        }
    }

    fn ended(&self, state: &State, slot: usize, index: usize, ended: &RunState) {
        let words = in_state(ended);
        let (finished, all) = (state.finished, state.to_do.len());
        self.say(&format!("[{finished}/{all}] {}: {words}", self.labels[index]));
        if let Some(bars) = &self.bars {
            bars.slots[slot].set_prefix("");
            bars.slots[slot].set_message("");
        }
    }

    pub(crate) fn say(&self, line: &str) {
        match &self.bars {
            // Above the bars; a terminal that went away is no reason to stop training.
            Some(bars) => drop(bars.all.println(plain(line))),
            None => say!("{line}"),
        }
    }
}

fn in_state(ended: &RunState) -> String {
    match ended.reason() {
        Some(reason) => format!("{}: {reason}", ended.name()),
        None => ended.name().to_string(),
    }
}

impl State {
    /// From the steps of this invocation: what is left takes as long per step.
    fn time_left(&self) -> String {
        let all: u64 = self.to_do.iter().map(|&i| self.total_steps[i]).sum();
        let done: u64 = self.to_do.iter().filter_map(|i| self.done_steps.get(i)).sum();
        let inherited: u64 = self.inherited.values().sum();
        let own = done.saturating_sub(inherited);
        if own < 20 {
            return String::new();
        }
        let seconds =
            self.began.elapsed().as_secs_f64() / own as f64 * (all - done.min(all)) as f64;
        format!("about {} left", duration(Duration::from_secs_f64(seconds)))
    }
}

impl Bars {
    fn new(labels: &[String], slots: usize, runs: usize) -> Self {
        let all = MultiProgress::new();
        let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).min(40);
        let template =
            format!("  {{prefix:{width}}} {{bar:24}} {{pos:>6}}/{{len:<6}} {{wide_msg}}");
        let slots = (0..slots).map(|_| all.add(ProgressBar::new(1).with_style(style(&template))));
        let slots = slots.collect();
        let sweep = all.add(ProgressBar::new(runs as u64));
        sweep.set_style(style("{bar:24} {pos}/{len} runs, {elapsed} gone {msg}"));
        sweep.enable_steady_tick(Duration::from_millis(500));
        Bars { all, sweep, slots }
    }
}

pub(crate) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are ours").progress_chars("━━─")
}

fn show_on_bar(bar: &ProgressBar, event: &TrainEvent, metric: &str) {
    match event {
        TrainEvent::Preparing { what, done, total } => {
            bar.set_length(total.unwrap_or(*done).max(1));
            bar.set_position(*done);
            bar.set_message(plain(what).into_owned());
        }
        TrainEvent::Started { from_step, total_steps, .. } => {
            bar.set_length(*total_steps);
            bar.set_position(*from_step);
            bar.set_message("");
        }
        TrainEvent::Step { step } => bar.set_position(*step),
        TrainEvent::Losses { step, step_s, losses } => {
            bar.set_position(*step);
            bar.set_message(format!("{:.0} ms/step  {}", step_s * 1e3, in_words(losses)));
        }
        TrainEvent::Evaluating { done, total } => {
            bar.set_message(format!("evaluating {done}/{total}"));
        }
        TrainEvent::Evaluated { scores, .. } => {
            bar.set_message(format!("evaluated: {}", in_words(&headline(scores, metric))));
        }
        TrainEvent::Checkpoint { .. } | TrainEvent::Warning { .. } => {}
    }
}

/// For a run that is not shown as part of a sweep.
const ANY_METRIC: &str = "eval/gain";

/// Both directions or domains of what the sweep is judged by, if an evaluation has it; else of the
/// first of these that it has.
fn headline(scores: &BTreeMap<String, f64>, metric: &str) -> BTreeMap<String, f64> {
    const OTHERS: [&str; 4] = [ANY_METRIC, "eval/l1", "eval/swd_ref", "eval/cycle"];
    let sides = ["", "_ab", "_ba", "_a", "_b"];
    let stem = sides[1..].iter().find_map(|side| metric.strip_suffix(side)).unwrap_or(metric);
    let of_stem = |stem: &str| -> BTreeMap<String, f64> {
        let names = sides.iter().map(|side| format!("{stem}{side}"));
        let found = names.filter_map(|name| Some((name.clone(), *scores.get(&name)?)));
        found.map(|(name, value)| (name.trim_start_matches("eval/").to_string(), value)).collect()
    };
    let mut found = [stem].into_iter().chain(OTHERS).map(of_stem);
    found.find(|it| !it.is_empty()).unwrap_or_default()
}

fn in_words(values: &BTreeMap<String, f64>) -> String {
    let words = values.iter().map(|(name, value)| format!("{name} {}", number(*value)));
    words.collect::<Vec<_>>().join("  ")
}

/// The progress of `cyclelab run` when a person calls it.
pub(crate) struct RunProgress {
    bar: Option<ProgressBar>,
    total: u64,
    last_line: Option<Instant>,
}

impl RunProgress {
    pub(crate) fn new(bar_allowed: bool) -> Self {
        let bar = (bar_allowed && std::io::stderr().is_terminal()).then(|| {
            ProgressBar::new(1)
                .with_style(style("{bar:24} {pos:>6}/{len:<6} {eta} left  {wide_msg}"))
        });
        RunProgress { bar, total: 0, last_line: None }
    }

    pub(crate) fn update(&mut self, event: &TrainEvent) {
        if let TrainEvent::Started { total_steps, .. } = event {
            self.total = *total_steps;
        }
        match (&self.bar, event) {
            (Some(bar), event) => show_on_bar(bar, event, ANY_METRIC),
            (None, TrainEvent::Started { from_step, total_steps, device }) => {
                say!("from step {from_step} to {total_steps} on {device}");
            }
            (None, TrainEvent::Losses { step, step_s, losses }) => {
                if self.last_line.is_none_or(|at| at.elapsed() >= LINE_EVERY) {
                    self.last_line = Some(Instant::now());
                    let (total, words) = (self.total, in_words(losses));
                    say!("step {step}/{total}, {:.0} ms a step, {words}", step_s * 1e3);
                }
            }
            (None, TrainEvent::Evaluated { step, fold, scores }) => {
                say!("evaluated on {fold} at step {step}: {}", in_words(scores));
            }
            (None, TrainEvent::Warning { message }) => say!("warning: {message}"),
            (None, _) => {}
        }
    }
}

/// Downloads and decoding, before anything trains.
pub(crate) struct Preparing {
    bar: Option<ProgressBar>,
    last: String,
}

impl Preparing {
    pub(crate) fn new() -> Self {
        Preparing { bar: None, last: String::new() }
    }

    pub(crate) fn show(&mut self, progress: data::Progress) {
        if !std::io::stderr().is_terminal() {
            if progress.what != self.last {
                say!("{}", progress.what);
                self.last = progress.what;
            }
            return;
        }
        let bar = self.bar.get_or_insert_with(|| ProgressBar::new(1));
        let template = match (progress.bytes, progress.total) {
            (true, Some(_)) => "{bar:24} {bytes}/{total_bytes} {msg}",
            (true, None) => "{spinner} {bytes} {msg}",
            (false, Some(_)) => "{bar:24} {pos}/{len} {msg}",
            (false, None) => "{spinner} {msg}",
        };
        bar.set_style(style(template));
        bar.set_length(progress.total.unwrap_or(progress.done).max(1));
        bar.set_position(progress.done);
        bar.set_message(plain(&progress.what).into_owned());
    }

    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_what_the_sweep_is_judged_by_where_it_is_there() {
        let check = |names: &[&str], metric: &str, expected: &str| {
            let scores = names.iter().map(|name| (format!("eval/{name}"), 0.5)).collect();
            let shown: Vec<String> = headline(&scores, metric).into_keys().collect();
            assert_eq!(shown.join(" "), expected, "{names:?} by {metric}");
        };
        check(&["gain", "gain_ab", "gain_ba", "l1_ab"], "eval/gain", "gain gain_ab gain_ba");
        check(&["gain_ab", "ssim_ab", "ssim_ba"], "eval/ssim_ab", "ssim_ab ssim_ba");
        check(&["l1_ab", "cycle_a", "cycle_b"], "eval/gain", "l1_ab");
        check(&["cycle_a", "cycle_b"], "loss/cycle_a", "cycle_a cycle_b");
        check(&[], "eval/gain", "");
    }
}
