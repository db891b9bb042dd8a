//! `[init]`: weight files to begin from.

use super::*;

#[test]
fn weight_files_are_tried_before_anything_is_made() {
    let lab = Lab::new();
    let prepared = |leaves: String| {
        let toml = TINY.replace("[axes]", &format!("{leaves}\n[axes]"));
        let toml = toml
            .replace("model.ngf = 4", "")
            .replace("loss.lambda_cycle = [0.0, 10.0]", "model.ngf = [2, 3, 4]");
        let source = SourceText { name: "own.toml".into(), text: toml };
        let plan = spec::read(source, &[], &mut |_| Err("none".into()));
        let plan = plan.unwrap_or_else(|rejected| panic!("{:?}", rejected.diagnostics));
        prepare(plan, &lab.runs_root(), &lab.store(), "test", &mut |_| {})
    };
    // One block, ngf 2.
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/vectors/zipped.pth");
    let leaves = format!("init.gen_ab = {file:?}\ninit.gen_ba = {file:?}\ninit.disc_a = {file:?}");
    let refused = prepared(leaves).map(|_| ());
    let Err(RunnerError::InitialWeights { findings }) = refused else { panic!("{refused:?}") };
    let (of_disc, of_gen): (Vec<_>, Vec<_>) = findings.iter().partition(|it| it.contains("disc_a"));
    assert_eq!(of_disc.len(), 1, "the same for every ngf: {findings:?}");
    assert!(of_disc[0].starts_with("init.disc_a of every cell: "), "{findings:?}");
    assert!(of_disc[0].contains("looks like a residual generator"), "{findings:?}");
    for (finding, ngf) in of_gen.iter().zip([3, 4]) {
        let place = format!("init.gen_ab, init.gen_ba of cell `ngf={ngf}`: ");
        assert!(finding.starts_with(&place), "{findings:?}");
        assert!(finding.contains("… and ") && finding.lines().count() == 5, "{finding}");
    }
    assert_eq!(of_gen.len(), 2, "{findings:?}");
    assert!(!lab.runs_root().exists() && !lab.dir.path().join("cache").exists());

    // Without adversarial terms nothing is loaded into a discriminator: nor is it another run.
    let without = prepared("loss.gan = false".into()).expect("sound");
    let with = prepared("loss.gan = false\ninit.disc_b = \"absent.pth\"".into()).expect("sound");
    assert_eq!(without.init_notes, [] as [String; 0]);
    let note = &with.init_notes[0];
    assert!(note.contains("loss.gan = false") && note.contains("init.disc_b"), "{note}");
    let keys =
        |entries: &[track::PlanEntry]| entries.iter().map(|it| it.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&with.entries), keys(&without.entries));
}

#[test]
fn exported_weights_of_another_network_are_used_and_named() {
    let lab = Lab::new();
    let trained = lab.plan(&TINY.replace("train.steps = 12", "train.steps = 1"));
    lab.run(1, None).expect("trains");
    let run = track::RunDir::new(lab.runs_root().join(&trained.entries[1].folder));
    let out = lab.dir.path().join("exported");
    crate::export(&crate::SavedRun::open(&run).expect("a run"), &out).expect("exported");
    let notes = |file: &str, leaves: &str| {
        let init = format!("init.gen_ab = {:?}\n{leaves}\n[axes]", out.join(file));
        let source = SourceText { name: "own.toml".into(), text: TINY.replace("[axes]", &init) };
        let plan = spec::read(source, &[], &mut |_| Err("none".into())).expect("well formed");
        let prepared = prepare(plan, &lab.runs_root(), &lab.store(), "test", &mut |_| {});
        prepared.unwrap_or_else(|error| panic!("{}", error.chain())).init_notes
    };
    assert!(notes("gen_ab.safetensors", "").is_empty());
    let [note] = &notes("gen_ba.safetensors", "model.padding = \"replicate\"")[..] else {
        panic!("one note");
    };
    assert!(note.contains("is gen_ba and was trained with padding reflect"), "{note}");
}
