//! Images that are others than when the plan was made.

use std::path::Path;

use crate::lab::files_below;
use crate::remains::Remains;
use crate::victim::Victim;

/// A folder of images in upstream's layout, from what a run has shown.
fn images(samples: &Path, folder: &Path) {
    let pictures = files_below(samples, ".png");
    for (i, name) in ["trainA", "trainB", "testA", "testB"].iter().enumerate() {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        for (n, picture) in pictures.iter().skip(i).step_by(4).enumerate() {
            std::fs::copy(picture, folder.join(format!("{n}.png"))).expect("a copy");
        }
    }
}

#[test]
fn a_run_does_not_go_on_with_other_images() {
    let drawn = Victim::plan();
    let shown = drawn.trial("shown", 1);
    shown.complete().expect("nothing disturbs it");
    let folder = drawn.lab.path("images");
    images(&shown.folder().join("samples"), &folder);

    let victim = Victim::plan_on(&folder);
    let reference = victim.trial("reference", 1);
    reference.complete().expect("nothing disturbs it");
    let trial = victim.killed_midway("trial");
    let checkpoints = trial.checkpoints();
    let picture = folder.join("trainA/0.png");
    let before = std::fs::read(&picture).expect("a picture");

    std::fs::copy(folder.join("trainB/0.png"), &picture).expect("a copy");
    let said = trial.run();
    assert_eq!(said.code, Some(65), "{}", said.stderr);
    assert!(said.stderr.contains("changed since the plan was made"), "{}", said.stderr);
    assert!(!said.stderr.contains("from step"), "it trained: {}", said.stderr);
    assert_eq!(trial.checkpoints(), checkpoints, "what was saved is kept");

    std::fs::write(&picture, before).expect("our own file");
    trial.complete().expect("the images are what they were");
    let difference = Remains::of(&reference).difference(&Remains::of(&trial));
    assert!(difference.is_none(), "{difference:?}");
}
