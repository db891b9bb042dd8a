//! Folders that somebody may have, and programs in them, for the tests.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Each is a file name that Linux takes and that a careless script would act on.
pub(crate) const FOLDERS: [&str; 10] = [
    "plain",
    "a b",
    "a b$(touch x)'\"`",
    "it's",
    "$HOME",
    "`touch x`",
    "100%A %a%%",
    "#SBATCH --wrap=ls",
    "-rf; touch x &",
    "λ ünï!*?[a]{b,c}~<>|\t",
];

/// Any name, the same for the same number.
pub(crate) fn random(seed: u64) -> String {
    const LETTERS: [char; 26] = [
        'a', 'B', '0', ' ', '\'', '"', '`', '$', '(', ')', '{', '}', '[', ']', '%', '#', ';', '&',
        '|', '<', '>', '*', '!', '~', 'λ', '\t',
    ];
    let mut draw = spec::Draw::new(seed, spec::Purpose::Synthetic, 0, 0);
    let length = 1 + draw.below(12);
    (0..length).map(|_| LETTERS[draw.below(LETTERS.len() as u64) as usize]).collect()
}

/// Written by a process of its own: one that another test starts meanwhile would inherit the open
/// file, and what is open for writing cannot be started.
pub(crate) fn write_program(path: &Path, text: &str) {
    let mut writer = Command::new("bash")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    writer.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
}
