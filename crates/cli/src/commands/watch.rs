use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use track::{RunState, SweepDir, SweepRecord, TrackError, read_sweep, read_sweep_status};

use crate::args::WatchArgs;
use crate::board::{Board, Move};
use crate::engine::{Engine, EngineRun, PACE as ENGINE_PACE, View};
use crate::exit::Exit;
use crate::places::Places;
use crate::terminal::duration;

/// The store is read at most this often, and never for more than a tenth of the time.
const PACE: Duration = Duration::from_secs(2);
const SHARE: u32 = 10;

/// Shows a sweep over the whole terminal while it is trained, here or elsewhere.
pub(crate) fn watch(args: &WatchArgs, places: &Places) -> anyhow::Result<Exit> {
    if !std::io::stdout().is_terminal() {
        bail!("`cyclelab watch` draws on a terminal; `cyclelab status` says the same in lines");
    }
    let sweep = match &args.sweep {
        Some(name) => name.clone(),
        None => the_one_at_work(&places.runs)?,
    };
    let board = Board::new(read_sweep(&places.runs, &sweep)?);
    let records = read_on(places.runs.clone(), sweep.clone());
    let views = ask_on(places.runs.clone(), sweep);
    // Restores the terminal also where drawing panics.
    let terminal = ratatui::try_init().context("cannot take over the terminal")?;
    let shown = show(terminal, board, &records, &views);
    ratatui::restore();
    shown.map(|()| Exit::Done)
}

/// The sweep that a scheduler has, or of which runs are being trained.
fn the_one_at_work(runs: &Path) -> anyhow::Result<String> {
    let mut found = Vec::new();
    for sweep in track::sweeps(runs)? {
        let is_held = matches!(sweep.expect_free(), Err(TrackError::Held { .. }));
        // One that cannot be read is named by `cyclelab ls`.
        let record = read_sweep_status(runs, &sweep.name());
        let in_training = |it: &SweepRecord| it.runs.iter().any(|it| it.state == RunState::Running);
        if is_held || record.is_ok_and(|it| in_training(&it)) {
            found.push(sweep.name());
        }
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!("no sweep is at work in `{}`; `cyclelab ls` lists all", runs.display()),
        more => bail!("{} sweeps are at work: name one of {}", more.len(), more.join(", ")),
    }
}

/// Reads the store again and again, from a thread that ends when nobody listens any more. A failure
/// is told once it comes, and reading goes on: a store on a network may be away for a while.
fn read_on(runs: PathBuf, sweep: String) -> Receiver<Result<SweepRecord, TrackError>> {
    // One record waits at most: a terminal that stands still must not have them pile up.
    let (send, records) = sync_channel(0);
    std::thread::spawn(move || {
        loop {
            let began = Instant::now();
            let record = read_sweep(&runs, &sweep);
            let pause = PACE.max(began.elapsed() * SHARE);
            if send.send(record).is_err() {
                return;
            }
            std::thread::sleep(pause);
        }
    });
    records
}

/// Asks the cluster again and again, where anything was sent to one. By itself: one that does not answer
/// must not keep the board from what the store says.
fn ask_on(runs: PathBuf, sweep: String) -> Receiver<View> {
    let (send, views) = sync_channel(0);
    std::thread::spawn(move || {
        let mut engine = Engine::of_this_process();
        loop {
            let record = read_sweep_status(&runs, &sweep);
            let view = record.and_then(|record| {
                Ok(engine.view_of(&SweepDir::new(&runs, &sweep)?, &record.runs))
            });
            // What cannot be read is told by who reads the records.
            if view.is_ok_and(|view| send.send(view).is_err()) {
                return;
            }
            std::thread::sleep(ENGINE_PACE);
        }
    });
    views
}

fn show(
    mut terminal: DefaultTerminal,
    mut board: Board,
    records: &Receiver<Result<SweepRecord, TrackError>>,
    views: &Receiver<View>,
) -> anyhow::Result<()> {
    let (mut read, mut trouble) = (Instant::now(), None);
    let mut engine = EngineWord::default();
    let mut is_new = true;
    loop {
        for view in views.try_iter() {
            is_new = true;
            if let Some(runs) = engine.hear(view) {
                board.hear(runs);
            }
        }
        for record in records.try_iter() {
            is_new = true;
            match record {
                Ok(record) => {
                    board.renew(record);
                    (read, trouble) = (Instant::now(), None);
                }
                Err(error) => trouble = Some(error.to_string()),
            }
        }
        let age = match &trouble {
            Some(trouble) => format!("as of {} ago: {trouble}", duration(read.elapsed())),
            None => engine.words(Instant::now()),
        };
        if is_new || !age.is_empty() {
            terminal
                .draw(|frame| board.draw(frame, &age))
                .context("cannot draw on the terminal")?;
        }
        is_new = event::poll(Duration::from_millis(500))?;
        if !is_new {
            continue;
        }
        // A resized terminal is only drawn anew.
        let Event::Key(key) = event::read()? else { continue };
        match key.code {
            _ if key.kind == KeyEventKind::Release => {}
            KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(()),
            _ => moved(key).into_iter().for_each(|to| board.go(to)),
        }
    }
}

/// What the cluster said last, and how long ago: it may answer slowly, or not at all.
#[derive(Default)]
struct EngineWord {
    heard: Option<Instant>,
    notes: String,
}

impl EngineWord {
    /// Its word of each run. Where it did not answer, what it said before stands.
    fn hear(&mut self, view: View) -> Option<BTreeMap<usize, EngineRun>> {
        self.notes = view.notes().collect::<Vec<_>>().join("; ");
        if view.runs.is_empty() {
            return None;
        }
        self.heard = view.heard;
        Some(view.runs)
    }

    fn words(&self, now: Instant) -> String {
        let age = self.heard.map(|heard| now.saturating_duration_since(heard));
        let age = age.filter(|age| *age >= 2 * ENGINE_PACE);
        let age = age.map(|age| format!("Slurm as of {} ago", duration(age)));
        let notes = Some(self.notes.clone()).filter(|notes| !notes.is_empty());
        age.into_iter().chain(notes).collect::<Vec<_>>().join("; ")
    }
}

fn moved(key: KeyEvent) -> Option<Move> {
    Some(match key.code {
        KeyCode::Up | KeyCode::Char('k') => Move::Up,
        KeyCode::Down | KeyCode::Char('j') => Move::Down,
        KeyCode::Right | KeyCode::Char('l') => Move::NextMetric,
        KeyCode::Left | KeyCode::Char('h') => Move::LastMetric,
        KeyCode::Home => Move::Home,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use cluster::Standing;

    use super::*;

    #[test]
    fn an_old_word_stands_and_says_its_age() {
        let began = Instant::now();
        let after = |seconds: u64| began + Duration::from_secs(seconds);
        let mut word = EngineWord::default();
        assert_eq!(word.words(after(600)), "", "nothing was sent anywhere");
        let runs = [(0, EngineRun::told(Standing::Running, "7_0"))].into();
        let view = View { runs, heard: Some(began), ..View::default() };
        assert_eq!(word.hear(view).map(|runs| runs.len()), Some(1));
        assert_eq!(word.words(after(59)), "");
        assert_eq!(word.words(after(180)), "Slurm as of 3 min 00 s ago");
        let trouble = Some("`squeue` said nothing for 60 s".to_string());
        let silent = View { trouble, heard: Some(after(150)), ..View::default() };
        assert!(word.hear(silent).is_none(), "the board keeps what it has");
        let words = word.words(after(180));
        assert_eq!(words, "Slurm as of 3 min 00 s ago; `squeue` said nothing for 60 s");
    }
}
