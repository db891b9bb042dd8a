//! A sweep over the whole terminal: its runs, how far they are, their curves, their machine.
//!
//! What is drawn is a function of what the store holds and of what has been chosen with the keys;
//! nothing here reads a file or a clock.

mod curves;
mod pace;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Gauge, Paragraph, Row, Table, TableState, Wrap};
use report::summary::Counts;
use track::{RunRecord, RunState, SweepRecord};

use crate::engine::EngineRun;
use crate::terminal::{duration, number, plain};
use curves::Curves;
use pace::Pace;

/// Narrower terminals have the curves below the runs instead of beside them.
const WIDE: u16 = 110;

/// A table so narrow leaves out what a step takes: names tell runs apart.
const NARROW: u16 = 66;

const KEYS: &str = " ↑↓ run  ←→ metric  Home the runs in training  q leave (training goes on) ";

/// What can be done with the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    Up,
    Down,
    NextMetric,
    LastMetric,
    /// To the first run that is being trained.
    Home,
}

/// The newest record of a sweep, and what of it is looked at.
pub(crate) struct Board {
    record: SweepRecord,
    pace: Pace,
    metrics: Vec<String>,
    metric: usize,
    chosen: TableState,
    /// The chosen run is one in training, whichever that is; until one is chosen by hand.
    follows: bool,
    /// What a cluster says, by the run's index.
    engine: BTreeMap<usize, EngineRun>,
}

impl Board {
    pub(crate) fn new(record: SweepRecord) -> Board {
        let mut board = Board {
            pace: Pace::of(&record),
            metrics: curves::metrics(&record),
            metric: 0,
            chosen: TableState::default(),
            follows: true,
            engine: BTreeMap::new(),
            record,
        };
        board.go(Move::Home);
        board
    }

    /// The same choices, of newer numbers.
    pub(crate) fn renew(&mut self, record: SweepRecord) {
        let shown = self.metrics.get(self.metric).cloned();
        self.pace = Pace::of(&record);
        self.metrics = curves::metrics(&record);
        self.metric = self.metrics.iter().position(|it| Some(it) == shown.as_ref()).unwrap_or(0);
        self.record = record;
        let is_over = self.run().is_none_or(|run| run.state != RunState::Running);
        if self.run().is_none() || (self.follows && is_over) {
            self.go(Move::Home);
        }
    }

    /// What a cluster says now.
    pub(crate) fn hear(&mut self, engine: BTreeMap<usize, EngineRun>) {
        self.engine = engine;
    }

    /// The engine's word where the folder has none that is newer: it is asked more rarely.
    fn state_of(&self, run: &RunRecord) -> &'static str {
        match self.engine.get(&run.index) {
            Some(it) if run.state != RunState::Running && !run.state.is_result() => {
                it.standing.word()
            }
            Some(it) if run.state == RunState::Running && it.is_in_doubt() => it.standing.word(),
            _ => run.state.name(),
        }
    }

    pub(crate) fn go(&mut self, to: Move) {
        let (runs, metrics) = (self.record.runs.len().max(1), self.metrics.len().max(1));
        let at = self.chosen.selected().unwrap_or(0);
        match to {
            Move::Up | Move::Down => self.follows = false,
            Move::Home => self.follows = true,
            Move::NextMetric | Move::LastMetric => {}
        }
        match to {
            Move::Up => self.chosen.select(Some(at.saturating_sub(1))),
            Move::Down => self.chosen.select(Some((at + 1).min(runs - 1))),
            Move::NextMetric => self.metric = (self.metric + 1) % metrics,
            Move::LastMetric => self.metric = (self.metric + metrics - 1) % metrics,
            Move::Home => {
                let in_training = |run: &RunRecord| run.state == RunState::Running;
                let first = self.record.runs.iter().position(in_training);
                self.chosen.select(Some(first.unwrap_or(0)));
            }
        }
    }

    fn run(&self) -> Option<&RunRecord> {
        self.record.runs.get(self.chosen.selected()?)
    }

    /// `age` is how long ago the record was read, in words; empty while it is new.
    pub(crate) fn draw(&mut self, frame: &mut Frame<'_>, age: &str) {
        let [head, bar, body, log, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Min(8),
            Constraint::Length(if frame.area().height < 28 { 4 } else { 7 }),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        let half = [Constraint::Percentage(50), Constraint::Percentage(50)];
        let [runs, curves] = match body.width >= WIDE {
            true => Layout::horizontal(half).areas(body),
            false => Layout::vertical(half).areas(body),
        };
        frame.render_widget(self.head(), head);
        frame.render_widget(self.bar(), bar);
        self.runs(frame, runs);
        let shown = self.metrics.get(self.metric).map(String::as_str);
        Curves::of(&self.record, shown, self.run()).draw(frame, curves);
        frame.render_widget(self.log(), log);
        let foot = Line::from(vec![Span::raw(KEYS).dim(), Span::raw(age.to_string()).yellow()]);
        frame.render_widget(foot, keys);
    }

    fn head(&self) -> Line<'_> {
        let plan = &self.record.plan;
        Line::from(vec![
            Span::raw(plain(&plan.name)).bold(),
            Span::raw("  "),
            Span::raw(plain(&plan.question)),
        ])
    }

    /// The whole sweep: steps done of all steps, and what has become of the runs.
    fn bar(&self) -> Gauge<'static> {
        let counts = Counts::of(&self.record.runs);
        let mut words = vec![format!("{}/{} runs", counts.ended(), counts.planned)];
        let others = [
            (counts.running, "running"),
            (counts.diverged, "diverged"),
            (counts.failed, "failed"),
            (counts.stopped, "stopped"),
        ];
        words.extend(others.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")));
        words.extend(self.pace.left().map(|left| format!("about {} left", duration(left))));
        words.extend(self.load());
        Gauge::default()
            .ratio(self.pace.part())
            .label(words.join(" · "))
            .gauge_style(Style::new().fg(Color::Blue).bg(Color::Black))
            .use_unicode(true)
    }

    /// The newest reading of the machine by a run that is being trained.
    fn load(&self) -> Option<String> {
        let running = self.record.runs.iter().filter(|run| run.state == RunState::Running);
        let of = |name: &str| {
            let rows = running.clone().flat_map(|run| &run.rows).filter(|row| row.name == name);
            rows.max_by_key(|row| row.ts_us).map(|row| row.value)
        };
        Some(format!("CPU {:.0} %, {:.1} GB", of("sys/cpu_percent")?, of("sys/memory_gb")?))
    }

    fn runs(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let metric = &self.record.plan.metric.name;
        let is_narrow = area.width < NARROW;
        let right = |word: &str| Cell::new(Line::from(word.to_string()).right_aligned());
        let row = |run: &RunRecord| {
            let state = Style::new().fg(colour(&run.state));
            let speed = pace::step_s(run).map(|s| format!("{:.0} ms", s * 1e3));
            // The result where there is one; before that the newest on val, which looks like less.
            let (value, style) = match run.last(metric) {
                Some(value) => (Some(value), Style::new()),
                None => (run.series(metric).last().map(|it| it.1), Style::new().dim()),
            };
            let value = value.map(number).unwrap_or_default();
            let mut cells = vec![
                Cell::new(plain(&self.record.plan.cells[run.cell].label).into_owned()),
                right(&run.seed.to_string()),
                Cell::new(Line::styled(self.state_of(run), state)),
                right(&self.pace.percent(run)),
            ];
            if !is_narrow {
                cells.push(right(&speed.unwrap_or_default()));
            }
            cells.push(Cell::new(Line::styled(value, style).right_aligned()));
            Row::new(cells)
        };
        let short = metric.rsplit('/').next().unwrap_or(metric);
        let mut heads = vec![Cell::new("cell"), right("seed"), Cell::new("state"), right("done")];
        let mut widths = vec![
            Constraint::Fill(1),
            Constraint::Length(4),
            Constraint::Length(if is_narrow { 9 } else { 11 }),
            Constraint::Length(5),
        ];
        if !is_narrow {
            heads.push(right("a step"));
            widths.push(Constraint::Length(8));
        }
        heads.push(right(&plain(short)));
        widths.push(Constraint::Length(if is_narrow { 8 } else { 11 }));
        let table = Table::new(self.record.runs.iter().map(row), widths)
            .header(Row::new(heads).style(Style::new().add_modifier(Modifier::DIM)))
            .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
            .block(Block::bordered().title(" Runs "));
        frame.render_stateful_widget(table, area, &mut self.chosen);
    }

    /// The last words of the chosen run, its end first.
    fn log(&self) -> Paragraph<'_> {
        let Some(run) = self.run() else { return Paragraph::default() };
        let label = plain(&self.record.plan.cells[run.cell].label);
        let device = run.device.as_deref().map(|it| format!(" on {}", plain(it)));
        let title = format!(" {label} seed {}{} ", run.seed, device.unwrap_or_default());
        let last = |lines: &'_ [String], n: usize| lines[lines.len().saturating_sub(n)..].to_vec();
        let mut lines: Vec<Line<'_>> = Vec::new();
        lines.extend(run.state.reason().map(|it| Line::from(plain(it).into_owned()).red()));
        let engine = self.engine.get(&run.index).filter(|_| !run.state.is_result());
        lines.extend(engine.map(|it| Line::from(plain(&it.words()).into_owned()).yellow()));
        let said: Vec<String> = match run.log_tail.is_empty() {
            true => run.timeline.iter().map(said_at).collect(),
            false => run.log_tail.clone(),
        };
        let room = 5 - lines.len();
        lines.extend(last(&said, room).into_iter().map(|it| Line::from(plain(&it).into_owned())));
        Paragraph::new(lines).wrap(Wrap { trim: false }).block(Block::bordered().title(title))
    }
}

/// To the second, without the day.
fn said_at((at, what): &(String, String)) -> String {
    let time = at.split_once('T').and_then(|it| it.1.get(..8)).unwrap_or(at);
    format!("{time} {what}")
}

fn colour(state: &RunState) -> Color {
    match state {
        RunState::Completed => Color::Green,
        RunState::Running => Color::Cyan,
        RunState::Planned => Color::DarkGray,
        RunState::Interrupted => Color::Yellow,
        RunState::Diverged { .. }
        | RunState::Failed { .. }
        | RunState::TimedOut { .. }
        | RunState::Lost { .. } => Color::Red,
    }
}
