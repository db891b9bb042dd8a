//! Who may write in a folder, also where the kernel's locks do not reach.
//!
//! Some network file systems grant one lock to two machines, and some know no locks at all. So an
//! owner also leaves a numbered file, made exclusively. Its number is the attempt's, and a fencing
//! token: an owner that was taken for dead finds a later number before it commits anything.
//!
//! A lease beats: while its owner lives, the file is written anew every ten seconds. How long ago
//! that was is measured by the file system's clock alone, as the time of a file made just now less
//! the lease's. Clocks that differ between machines, and clocks that jump, do no harm.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::durable::TEMP_PREFIX;
use crate::error::TrackError;
use crate::provenance::host_name;
use crate::time;

mod claim;

pub use claim::Claim;

/// `leases/NNNN.json`. What is unknown on a system other than Linux is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Lease {
    attempt: u32,
    host: String,
    boot_id: Option<String>,
    /// The pids of two containers on one machine say nothing about each other.
    pid_ns: Option<String>,
    pid: u32,
    /// Ticks from the boot to the start of the process: pids are used again.
    started: Option<u64>,
    since: String,
    /// Tells the claims of one process apart that fall into one tick of its clock.
    #[serde(default)]
    claim: u64,
    released: bool,
}

static CLAIMS: AtomicU64 = AtomicU64::new(0);

/// The newest lease of a folder.
struct Found {
    path: PathBuf,
    attempt: u32,
    beat: SystemTime,
    /// `None`: not to be read, as where a power cut tore it.
    lease: Option<Lease>,
}

#[derive(Debug, PartialEq)]
enum Standing {
    Free,
    Held,
    /// Its owner cannot be seen from here: only its silence would tell.
    Unsure,
}

struct Timing {
    beat: Duration,
    /// Silent for so long, an owner counts as dead: six beats, so that a disk that stalls does not.
    ttl: Duration,
    clock: fn(&Path) -> Result<SystemTime, TrackError>,
}

const OWNERS: Timing = Timing {
    beat: Duration::from_secs(10),
    ttl: Duration::from_secs(60),
    clock: file_system_clock,
};

/// Who only looks writes nothing, and so cannot ask the file system for the time. A clock that is
/// off by minutes then makes a status wrong about a run whose lock cannot be seen from here;
/// nothing that is written hangs on it.
const READERS: Timing = Timing { clock: |_| Ok(SystemTime::now()), ..OWNERS };

/// Does not create the file: a run that has moved away leaves no lease behind.
fn write_in_place(path: &Path, text: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(text)
}

/// For work too short for a lease of its own: nobody else may have one.
///
/// # Errors
/// `Held` names the owner.
pub(crate) fn expect_free(leases: &Path) -> Result<(), TrackError> {
    free_by(leases, &OWNERS)
}

/// The same for those who only look.
///
/// # Errors
/// `Held` names the owner.
pub(crate) fn expect_free_to_reader(leases: &Path) -> Result<(), TrackError> {
    free_by(leases, &READERS)
}

/// How long ago its newest owner last gave a sign of life, by this machine's clock; `None` where
/// there never was one.
pub(crate) fn silence(leases: &Path) -> Result<Option<Duration>, TrackError> {
    let found = Found::newest(leases)?;
    // A beat from a clock that is ahead lies in the future.
    Ok(found.map(|it| SystemTime::now().duration_since(it.beat).unwrap_or_default()))
}

fn free_by(leases: &Path, timing: &Timing) -> Result<(), TrackError> {
    match Found::newest(leases)? {
        Some(found) if found.standing_now(leases, timing)? != Standing::Free => Err(found.held()),
        _ => Ok(()),
    }
}

/// The newest lease's number once nobody has it; 0 where there is none. Of an owner on another
/// machine one beat is enough to know that it lives.
fn wait_until_free(leases: &Path, timing: &Timing) -> Result<u32, TrackError> {
    let began = Instant::now();
    let mut before: Option<(u32, SystemTime)> = None;
    loop {
        let Some(found) = Found::newest(leases)? else { return Ok(0) };
        let now = (found.attempt, found.beat);
        match found.standing_now(leases, timing)? {
            Standing::Free => return Ok(found.attempt),
            Standing::Held => return Err(found.held()),
            Standing::Unsure if before.is_some_and(|before| before != now) => {
                return Err(found.held());
            }
            // Not one beat in all that time, whatever the file's own time says.
            Standing::Unsure if began.elapsed() >= timing.ttl => return Ok(found.attempt),
            Standing::Unsure => before = Some(now),
        }
        sleep(timing.ttl / 60);
    }
}

impl Found {
    fn newest(leases: &Path) -> Result<Option<Found>, TrackError> {
        let attempt = newest_number(leases)?;
        if attempt == 0 {
            return Ok(None);
        }
        let path = lease_path(leases, attempt);
        let mut text = Vec::new();
        // Opened even for its time alone: NFS asks the server anew where a file is opened.
        let beat = File::open(&path)
            .and_then(|mut file| {
                file.read_to_end(&mut text)?;
                file.metadata()?.modified()
            })
            .map_err(TrackError::read(&path))?;
        Ok(Some(Found { path, attempt, beat, lease: serde_json::from_slice(&text).ok() }))
    }

    fn standing_now(&self, leases: &Path, timing: &Timing) -> Result<Standing, TrackError> {
        let age = || {
            let now = (timing.clock)(leases)?;
            // A beat since then lies in the future.
            Ok(now.duration_since(self.beat).unwrap_or_default())
        };
        self.standing(&Lease::of_this_process(0), uptime(), timing.ttl, age)
    }

    fn standing(
        &self,
        here: &Lease,
        uptime: Option<Duration>,
        ttl: Duration,
        age: impl FnOnce() -> Result<Duration, TrackError>,
    ) -> Result<Standing, TrackError> {
        let Some(lease) = &self.lease else {
            return Ok(if age()? >= ttl { Standing::Free } else { Standing::Unsure });
        };
        let same_host = lease.host == here.host;
        let same_boot = same_host && here.boot_id.is_some() && lease.boot_id == here.boot_id;
        let pid_known = same_boot && lease.pid_ns == here.pid_ns;
        if lease.released || pid_known && !lease.lives() {
            return Ok(Standing::Free);
        }
        let age = age()?;
        // Rebooted, if it was this machine: one that beat after our boot only has the same name.
        let other_boot = same_host && lease.boot_id.is_some() && here.boot_id.is_some();
        let before_boot = uptime.is_some_and(|uptime| age >= uptime);
        Ok(match () {
            // Also one of this machine that lives: a stopped process.
            () if age >= ttl => Standing::Free,
            () if pid_known => Standing::Held,
            () if !same_boot && other_boot && before_boot => Standing::Free,
            () => Standing::Unsure,
        })
    }

    fn held(&self) -> TrackError {
        TrackError::Held { path: self.path.clone(), owner: self.owner() }
    }

    fn owner(&self) -> String {
        match &self.lease {
            Some(it) => format!("process {} on {} since {}", it.pid, it.host, it.since),
            None => "another process".to_owned(),
        }
    }
}

impl Lease {
    fn of_this_process(attempt: u32) -> Lease {
        let pid = std::process::id();
        let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let pid_ns = fs::read_link("/proc/self/ns/pid").ok();
        Lease {
            attempt,
            host: host_name(),
            boot_id: boot_id.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()),
            pid_ns: pid_ns.map(|it| it.to_string_lossy().into_owned()),
            pid,
            started: start_of(pid),
            since: time::rfc3339(time::now_us()),
            claim: CLAIMS.fetch_add(1, Ordering::Relaxed),
            released: false,
        }
    }

    fn path(&self, leases: &Path) -> PathBuf {
        lease_path(leases, self.attempt)
    }

    /// Where this fails, the next claim sees that the process is gone, or waits for it.
    fn release(&self, leases: &Path) {
        let released = Lease { released: true, ..self.clone() };
        let _ = write_in_place(&self.path(leases), &released.text());
    }

    /// Of one length, released or not: written in place, it needs no space on a full disk.
    fn text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec(self).expect("strings and numbers are JSON");
        text.extend(if self.released { &b" \n"[..] } else { b"\n" });
        text
    }

    /// Only to be asked where its pid means the same process.
    fn lives(&self) -> bool {
        match (start_of(self.pid), self.started) {
            (Some(now), Some(then)) => now == then,
            (now, _) => now.is_some(),
        }
    }
}

fn lease_path(leases: &Path, attempt: u32) -> PathBuf {
    leases.join(format!("{attempt:04}.json"))
}

/// Lists the folder rather than asking for a name: NFS may answer for a name from memory, but asks
/// the server anew where a folder is opened.
fn newest_number(leases: &Path) -> Result<u32, TrackError> {
    let entries = match fs::read_dir(leases) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(TrackError::read(leases)(error)),
    };
    let mut newest = 0;
    for entry in entries {
        let path = entry.map_err(TrackError::read(leases))?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(number) = number.filter(|&number| lease_path(leases, number) == path) {
            newest = newest.max(number);
        }
    }
    Ok(newest)
}

/// The time by the clock that stamps the leases: of a file made there just now.
fn file_system_clock(leases: &Path) -> Result<SystemTime, TrackError> {
    tempfile::Builder::new()
        .prefix(TEMP_PREFIX)
        .tempfile_in(leases)
        .and_then(|file| file.as_file().metadata()?.modified())
        .map_err(TrackError::write(leases))
}

/// In ticks since the boot. `None` for a process that is gone.
fn start_of(pid: u32) -> Option<u64> {
    start_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// `None` also for a process that is dead and only not yet collected by its parent.
fn start_in(stat: &str) -> Option<u64> {
    // The second field is the program's name in brackets, and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok() // field 22 of proc_pid_stat(5), counted from the third
}

fn uptime() -> Option<Duration> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    Duration::try_from_secs_f64(text.split_whitespace().next()?.parse().ok()?).ok()
}

#[cfg(test)]
mod tests;
