//! Images that are none, or far too large, in a folder of one's own.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use crate::lab::{Lab, Said, tiny};
use crate::translating::bmp;

/// The command with so much memory and no more: what asks for more is killed.
pub(crate) fn within(gibibytes: u64, command: &Command) -> Said {
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -v $0 && exec \"$@\"", &(gibibytes << 20).to_string()]);
    limited.arg(command.get_program()).args(command.get_args());
    limited.current_dir(command.get_current_dir().expect("the lab's folder"));
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Said::from(limited.output().expect("a shell"))
}

/// Sixteen good images a training domain, two with names that need care, and two a held-out one.
fn good_images(lab: &Lab) {
    for (folder, count) in [("trainA", 16), ("trainB", 16), ("testA", 2), ("testB", 2)] {
        let folder = lab.path("images").join(folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        for i in 0..count {
            let name = match i {
                0 => "new\nline \u{1b}[31m.bmp".to_string(),
                1 => "🦓 'zebra'.bmp".to_string(),
                i => format!("{i:02}.bmp"),
            };
            std::fs::write(folder.join(name), bmp(16 + i, 16)).expect("a picture");
        }
    }
}

/// Every one with a part of the reason that is given for it.
fn bad_images(lab: &Lab) -> Vec<(&'static str, &'static str)> {
    let place = |name: &str| lab.path("images/trainA").join(name);
    let write = |path: PathBuf, bytes: &[u8]| std::fs::write(path, bytes).expect("a file");
    let mut huge = bmp(16, 16);
    huge[18..26].copy_from_slice(&[0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0]);
    write(place("huge.bmp"), &huge);
    write(place("zero.png"), b"");
    write(place("words.jpg"), b"no picture");
    write(place("moving.png"), b"GIF89a\x10\0\x10\0\x80\0\0");
    write(place("point.bmp"), &bmp(1, 1));
    write(place("cut.bmp"), &bmp(16, 16)[..200]);
    write(place("turn\u{202e}\r\u{9b}2J.png"), b"");
    write(lab.path("images/trainA").join(OsStr::from_bytes(b"\xff.png")), b"");
    let hole = std::fs::File::create(place("hole.png")).expect("a file");
    hole.set_len(10 << 30).expect("a file with a hole");
    symlink("nowhere", place("dangling.png")).expect("a link");
    symlink("loop.png", place("loop.png")).expect("a link");
    symlink("/dev/zero", place("device.png")).expect("a link");
    let pipe = Command::new("mkfifo").arg(place("pipe.png")).status();
    assert!(pipe.expect("mkfifo").success());
    vec![
        ("huge.bmp", "beyond the limits"),
        ("zero.png", "the file is empty"),
        ("words.jpg", "not a PNG"),
        ("moving.png", "not supported"),
        ("point.bmp", "too small"),
        ("cut.bmp", ""),
        ("turn\\u{202e}\\r\\u{9b}2J.png", "the file is empty"),
        ("\u{fffd}.png", "not UTF-8"),
        ("hole.png", "512 MiB is too large"),
        ("dangling.png", "cannot be read"),
        ("loop.png", "cannot be read"),
        ("device.png", "a pipe or a device"),
        ("pipe.png", "a pipe or a device"),
    ]
}

fn own(steps: u32) -> String {
    tiny(steps)
        .replace("data.dataset = \"synthetic\"", "data.path = \"images\"")
        .replace("name = \"eval/l1_ab\"", "name = \"eval/cycle_a\"")
}

#[test]
fn every_bad_image_is_named_and_none_is_trained_on() {
    let lab = Lab::new();
    good_images(&lab);
    let bad = bad_images(&lab);
    let check = within(6, &lab.command(&["data", "check", "images", "--size", "16"]));
    assert_eq!(check.code, Some(65), "{}\n{}", check.stdout, check.stderr);
    assert!(check.stdout.contains("13 images cannot be used:"), "{}", check.stdout);
    for (name, reason) in &bad {
        let line = check.stdout.lines().find(|line| line.contains(&format!("trainA/{name}: ")));
        let line = line.unwrap_or_else(|| panic!("{name} in\n{}", check.stdout));
        assert!(line.contains(reason), "{reason} in {line}");
    }
    assert!(!check.stdout.contains(|c: char| c.is_control() && c != '\n'), "{:?}", check.stdout);

    lab.write("own.toml", &own(5));
    let refused = within(6, &lab.command(&["sweep", "own.toml"]));
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("13 of the images cannot be used"), "{}", refused.stderr);
    assert!(refused.stderr.contains("… and 3 more"), "{}", refused.stderr);
    assert!(!refused.stderr.contains(|c: char| c.is_control() && c != '\n'));
    for made in ["runs", "reports"] {
        assert!(!lab.path(made).exists(), "`{made}` was made");
    }

    lab.succeed(&["sweep", "own.toml", "--set", "data.on_bad_image=skip"]);
    assert_eq!(lab.states("tiny"), ["completed"; 4]);
    let page = std::fs::read_to_string(lab.path("reports/tiny/index.html")).expect("the report");
    assert!(page.contains("train 16 A + 16 B"), "the good ones");
    assert!(page.contains("13 images left out as unreadable"));
    assert!(page.contains("<li>trainA/huge.bmp: "), "they are named");
    assert!(page.contains("new\\nline \\u{1b}[31m") || page.contains("new\nline \\u{1b}[31m"));
    assert!(!page.contains('\u{1b}'));
}

#[test]
fn what_is_left_of_a_ruin_is_not_trained_on() {
    let lab = Lab::new();
    good_images(&lab);
    for i in 0..17 {
        std::fs::write(lab.path(&format!("images/trainB/x{i}.png")), "cut").expect("a file");
    }
    lab.write("own.toml", &own(5));
    for command in ["plan", "sweep"] {
        let said = lab.say(&[command, "own.toml", "--set", "data.on_bad_image=skip"]);
        assert_eq!(said.code, Some(1), "{command}: {}", said.stderr);
        assert!(said.stderr.contains("17 of 33 images of `images: trainB`"), "{}", said.stderr);
        assert!(said.stderr.contains("trainB/x0.png: not a PNG"), "{}", said.stderr);
        assert!(!lab.path("runs").exists(), "{command} made a folder");
    }
}
