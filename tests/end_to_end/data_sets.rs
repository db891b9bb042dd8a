//! `data`, and training on a folder of one's own.

use std::path::Path;

use crate::lab::{Lab, tiny};

/// Eight pictures a domain, drawn by the program itself, as files in the reference's layout.
fn folder_of_images(lab: &Lab) {
    let args =
        ["data", "export", "synthetic", "--size", "16", "--fold", "val,test", "--out", "images"];
    lab.succeed(&args);
    for domain in ["A", "B"] {
        let at = |fold: &str| lab.path("images").join(format!("{fold}{domain}"));
        std::fs::rename(at("val"), at("train")).expect("exported");
    }
}

fn break_one(folder: &Path) {
    std::fs::write(folder.join("trainA/broken.png"), "no picture").expect("a file");
}

#[test]
fn the_list_has_the_built_in_sets() {
    let lab = Lab::new();
    let list = lab.succeed(&["data", "list"]).stdout;
    for name in ["blueprint", "synthetic", "relief", "emoji-flat3d", "horse2zebra"] {
        assert!(list.contains(name), "{name} in\n{list}");
    }
    let list = lab.json(&["data", "list", "--json"]);
    let blueprint = list.as_array().expect("a list").iter().find(|it| it["name"] == "blueprint");
    assert_eq!(blueprint.expect("blueprint")["here"], "built in");
}

#[test]
fn what_to_fetch_is_a_data_set_or_weights() {
    let lab = Lab::new();
    let wrong = lab.say(&["data", "fetch", "efficientnet-lite1"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("did you mean `efficientnet-lite0`?"), "{}", wrong.stderr);
    let embedded = lab.succeed(&["data", "fetch", "blueprint"]).stdout;
    assert!(embedded.contains("nothing to fetch"), "{embedded}");
}

#[test]
fn a_preview_is_a_picture() {
    let lab = Lab::new();
    lab.succeed(&[
        "data",
        "preview",
        "blueprint",
        "--out",
        "sheet.png",
        "--size",
        "32",
        "--rows",
        "3",
    ]);
    let bytes = std::fs::read(lab.path("sheet.png")).expect("the picture");
    assert!(bytes.starts_with(b"\x89PNG"));
    let wrong = lab.say(&["data", "preview", "blueprnt"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("blueprint"), "{}", wrong.stderr);
}

#[test]
fn a_folder_is_checked_and_trained_on() {
    let lab = Lab::new();
    folder_of_images(&lab);
    let check = lab.succeed(&["data", "check", "images", "--size", "16"]).stdout;
    assert!(check.contains("every image can be used"), "{check}");

    let own = tiny(5)
        .replace("data.dataset = \"synthetic\"", "data.path = \"images\"")
        .replace("name = \"tiny\"", "name = \"own\"");
    let own = own.replace("name = \"eval/l1_ab\"", "name = \"eval/cycle_a\"");
    lab.write("own.toml", &own);
    lab.succeed(&["sweep", "own.toml"]);
    assert_eq!(lab.states("own"), ["completed"; 4]);
    let scores = lab.json(&["show", "own", "0", "--json"])["scores"].clone();
    assert!(scores["eval/cycle_a"].is_number());
    assert!(scores["eval/l1_ab"].is_null(), "without pairs there is no paired score");

    // A test image that was trained on is worth a word, and a failed check.
    let twin = lab.path("images/testA/twin.png");
    let any = std::fs::read_dir(lab.path("images/trainA")).expect("a folder").flatten().next();
    std::fs::copy(any.expect("exported").path(), &twin).expect("a copy");
    let leaks = lab.say(&["data", "check", "images", "--size", "16"]);
    assert_eq!(leaks.code, Some(65), "{}", leaks.stdout);
    assert!(leaks.stdout.contains("images A of test is among those of train"), "{}", leaks.stdout);
    let plan = lab.succeed(&["plan", "own.toml"]);
    let said = format!("{}{}", plan.stdout, plan.stderr);
    assert!(said.contains("images A of test is among those of train"), "{said}");
    std::fs::remove_file(&twin).expect("a file");

    break_one(&lab.path("images"));
    let check = lab.say(&["data", "check", "images", "--size", "16"]);
    assert_eq!(check.code, Some(65));
    assert!(check.stdout.contains("broken.png"), "{}", check.stdout);
    let refused = lab.say(&["sweep", "own.toml"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("broken.png"), "{}", refused.stderr);
    let skipped = lab.succeed(&["sweep", "own.toml", "--set", "data.on_bad_image=skip"]);
    assert!(
        skipped.stderr.contains("nothing to train"),
        "the usable images are the same: {}",
        skipped.stderr
    );
}
