//! Sweeps with curves and images made by formula.

mod drawn;
pub(crate) mod scores;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use track::{
    AxisRecord, CellRecord, DatasetRecord, MetricRecord, MetricRow, PlanRecord, RunRecord,
    RunState, SampleKind, SampleRecord, Split, SweepRecord,
};

pub(crate) struct Fixture {
    pub(crate) record: SweepRecord,
    /// Holds the images; gone with the fixture.
    pub(crate) dir: TempDir,
}

const STEPS: u64 = 1200;
const INPUTS: [&str; 3] = ["1f34e", "1f41f", "1f697"];

impl Fixture {
    /// λ = 0, 1, 10 (baseline), 50; λ = 0 diverges at the last seed, λ = 50 has its last seed to come.
    pub(crate) fn new(seeds: &[u64]) -> Fixture {
        let lambdas = [0.0, 1.0, 10.0, 50.0];
        let cells = lambdas
            .iter()
            .map(|&lambda| {
                cell(
                    format!("lambda_cycle={lambda}"),
                    vec![("loss.lambda_cycle", json!(lambda))],
                    lambda == 10.0,
                )
            })
            .collect();
        let axes = vec![axis(
            "λ cycle",
            "loss.lambda_cycle",
            lambdas.iter().map(|v| json!(v)).collect(),
            "log",
        )];
        let mut fixture = Fixture::of(
            "lambda",
            "What does the weight of the cycle loss change?",
            "grid",
            axes,
            cells,
            seeds,
        );
        let (last, many) = (*seeds.last().expect("a seed"), seeds.len() > 1);
        for run in fixture.record.runs.iter_mut().filter(|run| many && run.seed == last) {
            if run.cell == 0 {
                run.state =
                    RunState::Diverged { reason: "loss/gan_g_ab is NaN at step 640".into() };
                run.rows.retain(|row| row.step <= 640 && row.split == Split::Train);
                run.samples.retain(|sample| sample.step == 600);
            } else if run.cell == 3 {
                run.state = RunState::Planned;
                run.rows.clear();
                run.samples.clear();
                (run.active_s, run.started_at, run.device, run.code, run.attempts) =
                    (None, None, None, None, 0);
            }
        }
        fixture
    }

    /// Two axes, one of them words; every run completed.
    pub(crate) fn grid(seeds: &[u64]) -> Fixture {
        let mut cells = Vec::new();
        for lambda in [1.0, 10.0, 30.0] {
            for up in ["transpose", "nearest", "bilinear"] {
                let settings =
                    vec![("loss.lambda_cycle", json!(lambda)), ("model.upsample", json!(up))];
                cells.push(cell(
                    format!("lambda_cycle={lambda} upsample={up}"),
                    settings,
                    lambda == 10.0 && up == "transpose",
                ));
            }
        }
        let axes = vec![
            axis("λ cycle", "loss.lambda_cycle", vec![json!(1), json!(10), json!(30)], "log"),
            axis(
                "up-sampling",
                "model.upsample",
                vec![json!("transpose"), json!("nearest"), json!("bilinear")],
                "category",
            ),
        ];
        Fixture::of("upsample", "Do λ and the up-sampling interact?", "grid", axes, cells, seeds)
    }

    /// Three axes; every run completed.
    pub(crate) fn three_axes(seeds: &[u64]) -> Fixture {
        let (lambdas, ups, modes) =
            ([1.0, 10.0], ["transpose", "nearest", "bilinear"], ["lsgan", "vanilla"]);
        let mut cells = Vec::new();
        for lambda in lambdas {
            for up in ups {
                for mode in modes {
                    let settings = vec![
                        ("loss.lambda_cycle", json!(lambda)),
                        ("model.upsample", json!(up)),
                        ("loss.gan_mode", json!(mode)),
                    ];
                    let baseline = lambda == 10.0 && up == "transpose" && mode == "lsgan";
                    let label = format!("lambda_cycle={lambda} upsample={up} gan_mode={mode}");
                    cells.push(cell(label, settings, baseline));
                }
            }
        }
        let axes = vec![
            axis("λ cycle", "loss.lambda_cycle", lambdas.map(|it| json!(it)).to_vec(), "log"),
            axis("up-sampling", "model.upsample", ups.map(|it| json!(it)).to_vec(), "category"),
            axis("loss", "loss.gan_mode", modes.map(|it| json!(it)).to_vec(), "category"),
        ];
        let question = "Which of the three matters?";
        let mut fixture = Fixture::of("three-axes", question, "grid", axes, cells, seeds);
        for run in &mut fixture.record.runs {
            run.samples.clear();
            // Else the loss would change nothing, and cells would be equal.
            let own = 0.002 * wave(run.cell as u64, 3);
            let l1 = run.rows.iter_mut().filter(|row| row.name == "eval/l1_ab");
            l1.for_each(|row| row.value += own);
        }
        fixture
    }

    /// Many values of one learning rate, without images.
    pub(crate) fn wide(count: usize, seeds: &[u64]) -> Fixture {
        let rates: Vec<f64> = (0..count).map(|at| 1e-4 * (at + 1) as f64).collect();
        let rates: Vec<f64> = rates.iter().map(|rate| (rate * 1e6).round() / 1e6).collect();
        let cells = rates
            .iter()
            .enumerate()
            .map(|(at, &rate)| cell(format!("lr={rate}"), vec![("optim.lr", json!(rate))], at == 1))
            .collect();
        let axes = vec![axis(
            "learning rate",
            "optim.lr",
            rates.iter().map(|v| json!(v)).collect(),
            "log",
        )];
        let mut fixture = Fixture::of("rates", "Which learning rate?", "grid", axes, cells, seeds);
        fixture.record.runs.iter_mut().for_each(|run| run.samples.clear());
        fixture
    }

    /// With other pictures, of every run that has some.
    pub(crate) fn pictured(mut self, steps: &[u64], side: u32) -> Fixture {
        for run in self.record.runs.iter_mut().filter(|run| !run.samples.is_empty()) {
            let lambda = self.record.plan.cells[run.cell].settings[0].1.as_f64().unwrap_or(1.0);
            run.samples = images(&run.folder, steps, side, lambda, run.seed);
        }
        self
    }

    fn of(
        name: &str,
        question: &str,
        design: &str,
        axes: Vec<AxisRecord>,
        cells: Vec<CellRecord>,
        seeds: &[u64],
    ) -> Fixture {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let cells: Vec<CellRecord> =
            cells.into_iter().map(|cell| CellRecord { seeds: seeds.to_vec(), ..cell }).collect();
        // Images are most of a page's time: two seeds show what there is to show.
        let has_images =
            |seed: u64| cells.len() <= 12 && seeds.iter().take(2).any(|it| *it == seed);
        let mut runs = Vec::new();
        for &seed in seeds {
            for (at, cell) in cells.iter().enumerate() {
                let lambda = cell.settings[0].1.as_f64().unwrap_or(1.0);
                let shift = if cell.settings.iter().any(|(_, v)| *v == json!("nearest")) {
                    -0.008
                } else {
                    0.0
                };
                let folder = dir.path().join(format!(
                    "{}-s{seed}-{:08x}",
                    cell.label.replace(' ', "-"),
                    0x3af1_c000 + runs.len()
                ));
                let samples = if has_images(seed) {
                    images(&folder, [600, STEPS].as_slice(), 32, lambda, seed)
                } else {
                    Vec::new()
                };
                runs.push(RunRecord {
                    index: runs.len(),
                    key: format!("{:08x}55120000", 0x3af1_c000 + runs.len()),
                    folder,
                    cell: at,
                    seed,
                    config: json!({}),
                    origins: BTreeMap::new(),
                    dataset: None,
                    state: RunState::Completed,
                    attempts: 1,
                    active_s: Some(310.0 + 7.0 * wave(at as u64, seed)),
                    started_at: Some("2026-03-01T10:00:00Z".into()),
                    device: Some("cpu".into()),
                    code: Some("4be81c02d9a7e1f08c6d5b4a39281706f5e4d3c2".into()),
                    program: None,
                    provenance: Vec::new(),
                    checkpoints: Vec::new(),
                    rows: rows(lambda, shift, seed),
                    samples,
                    damaged: Vec::new(),
                    trouble: Vec::new(),
                    flags: Vec::new(),
                    absent: BTreeMap::new(),
                    history: Vec::new(),
                    parameters: None,
                    timeline: Vec::new(),
                    log_tail: Vec::new(),
                });
            }
        }
        let plan = PlanRecord {
            name: name.into(),
            question: question.into(),
            design: design.into(),
            command: format!("cyclelab sweep experiments/{name}.toml"),
            metric: MetricRecord {
                name: "eval/l1_ab".into(),
                minimize: true,
                select: "last".into(),
                secondary: vec!["eval/l1_ba".into(), "eval/psnr_ab".into(), "eval/cycle_a".into()],
            },
            axes,
            cells,
            seeds: seeds.to_vec(),
            dataset: DatasetRecord {
                name: "blueprint".into(),
                title: "Blueprint: emoji and their line drawings".into(),
                credit: "Twemoji © Twitter and contributors, CC-BY 4.0.".into(),
                licence: "CC-BY 4.0".into(),
                fingerprint: "b3:5d1f09c2".into(),
                counts: vec![("train".into(), 475, 475), ("test".into(), 317, 317)],
                skipped: 0,
                left_out: Vec::new(),
                paired: true,
            },
            preset: "reference".into(),
            device: None,
            departures: [
                ("data.load_size", json!(286), json!(36)),
                ("data.crop_size", json!(256), json!(32)),
                ("model.ngf", json!(64), json!(16)),
                ("model.n_blocks", json!(9), json!(3)),
                ("model.ndf", json!(64), json!(16)),
                ("model.n_layers", json!(3), json!(2)),
                ("train.steps", json!(null), json!(STEPS)),
                ("optim.lr_g", json!(0.0002), json!(0.0004)),
            ]
            .map(|(leaf, preset, own)| (leaf.to_string(), preset, own))
            .to_vec(),
            samples: ["a", "b"]
                .iter()
                .flat_map(|d| INPUTS.map(|id| ((*d).to_string(), id.to_string())))
                .collect(),
        };
        Fixture { record: SweepRecord { dir: PathBuf::from("runs").join(name), plan, runs }, dir }
    }
}

fn axis(label: &str, key: &str, values: Vec<Value>, scale: &str) -> AxisRecord {
    AxisRecord {
        label: label.into(),
        keys: vec![key.into()],
        values: values.into_iter().map(|value| vec![value]).collect(),
        when: None,
        scale: scale.into(),
    }
}

fn cell(label: String, settings: Vec<(&str, Value)>, baseline: bool) -> CellRecord {
    let settings = settings.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
    CellRecord {
        label,
        settings,
        baseline,
        seeds: Vec::new(),
        note: None,
        arm: None,
        origin: None,
        inactive: Vec::new(),
        also: Vec::new(),
    }
}

/// Between -1 and 1, without a pattern the eye finds.
fn wave(a: u64, b: u64) -> f64 {
    let mut x =
        a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xd1b5_4a32_d192_ed03) ^ 0x2545_f491;
    x ^= x >> 31;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 29;
    (x % 2001) as f64 / 1000.0 - 1.0
}

fn rows(lambda: f64, shift: f64, seed: u64) -> Vec<MetricRow> {
    let mut rows = Vec::new();
    let cell = (lambda * 7.0) as u64;
    let of_seed = 0.006 * wave(seed, 99);
    for step in (10..=STEPS).step_by(10) {
        let t = step as f64 / STEPS as f64;
        let noise = |k: u64| wave(step * 31 + k, seed * 17 + cell);
        let fall = (-4.0 * t).exp();
        let cycle = 0.05 + 0.3 * fall + 0.25 / (1.0 + lambda);
        let losses = [
            ("loss/gan_g_ab", 0.34 + 0.2 * t + 0.004 * lambda.min(30.0) + 0.04 * noise(1)),
            ("loss/gan_g_ba", 0.36 + 0.15 * t + 0.003 * lambda.min(30.0) + 0.04 * noise(2)),
            ("loss/cycle_a", cycle + 0.015 * noise(3)),
            ("loss/cycle_b", cycle * 0.8 + 0.015 * noise(4)),
            ("loss/d_a", 0.25 - 0.08 * t + 0.02 * noise(5)),
            ("loss/d_b", 0.25 - 0.1 * t + 0.02 * noise(6)),
        ];
        rows.extend(losses.map(|(name, value)| row(step, Split::Train, name, value)));
        if step % 200 == 0 {
            let off = (lambda.max(0.3) / 10.0).log10().powi(2);
            let l1 =
                0.2 + 0.02 * off + shift + 0.15 * (-5.0 * t).exp() + of_seed + 0.002 * noise(7);
            let cycled = cycle * 0.9 + 0.004 * noise(8);
            let metrics = [
                ("eval/l1_ab", l1),
                ("eval/l1_ba", l1 + 0.045 + 0.002 * noise(9)),
                ("eval/psnr_ab", 22.0 - 50.0 * l1 + 0.2 * noise(10)),
                ("eval/cycle_a", cycled),
                ("eval/cycle_b", cycled * 0.8),
            ];
            rows.extend(metrics.map(|(name, value)| row(step, Split::Eval, name, value)));
        }
        if step == STEPS {
            let ssim = 0.62 - 0.02 * (lambda.max(0.3) / 10.0).log10().powi(2) + 0.01 * noise(11);
            rows.push(row(step, Split::Eval, "eval/ssim_ab", ssim));
            rows.push(row(step, Split::Eval, "eval/ssim_ba", ssim - 0.1));
        }
    }
    rows
}

fn row(step: u64, split: Split, name: &str, value: f64) -> MetricRow {
    MetricRow {
        step,
        epoch: step as f32 / 475.0,
        images: step,
        split,
        name: name.into(),
        value,
        count: 10,
        min: None,
        max: None,
        elapsed_s: step as f64 * 0.26,
        ts_us: 0,
        attempt: 1,
        seq: step,
    }
}

fn images(folder: &Path, steps: &[u64], side: u32, lambda: f64, seed: u64) -> Vec<SampleRecord> {
    let mut samples = Vec::new();
    for &step in steps {
        let place = format!("samples/step-{step:07}");
        fs::create_dir_all(folder.join(&place)).expect("the temporary folder can be written");
        for domain in ["a", "b"] {
            for (at, id) in INPUTS.iter().enumerate() {
                let noise = 0.35 / (1.0 + lambda) + if step < STEPS { 0.2 } else { 0.05 };
                let mut kinds = vec![
                    (SampleKind::Real, domain == "b", 0.0),
                    (SampleKind::Fake, domain == "a", noise),
                    (SampleKind::Rec, domain == "b", noise * 1.5),
                    (SampleKind::Idt, domain == "b", noise * 0.5),
                ];
                if domain == "a" {
                    kinds.push((SampleKind::Truth, true, 0.0));
                }
                for (kind, drawn, noise) in kinds {
                    let path =
                        PathBuf::from(format!("{place}/{domain}_{id}.{}.png", kind.as_str()));
                    picture(side, at, drawn, noise, seed + step)
                        .save(folder.join(&path))
                        .expect("a PNG can be written");
                    let (domain, id) = (domain.into(), (*id).into());
                    samples.push(SampleRecord { step, domain, id, kind, path });
                }
            }
        }
    }
    samples
}

/// A disc, a square or a triangle: filled on white, or its outline on blue.
fn picture(side: u32, shape: usize, drawn: bool, noise: f64, seed: u64) -> image::RgbImage {
    let scale = 32.0 / f64::from(side);
    image::RgbImage::from_fn(side, side, |x, y| {
        let [u, v] = [x, y].map(|at| (f64::from(at) + 0.5) * scale - 16.0);
        let depth = match shape {
            0 => 11.0 - u.hypot(v),
            1 => 10.0 - u.abs().max(v.abs()),
            _ => (9.0 - v).min(v + 11.0 - 2.0 * u.abs()),
        };
        let fill = [[214.0, 60.0, 50.0], [60.0, 140.0, 200.0], [240.0, 180.0, 60.0]][shape % 3];
        let base: [f64; 3] = match drawn {
            true if depth.abs() < 1.0 => [245.0, 248.0, 255.0],
            true => [25.0, 64.0, 150.0],
            false if depth > 0.0 => fill,
            false => [255.0; 3],
        };
        let at = u64::from(x) * 131 + u64::from(y) * 7919 + shape as u64 * 17;
        image::Rgb(std::array::from_fn(|c| {
            (base[c] + 255.0 * noise * wave(at + c as u64, seed + 5)).clamp(0.0, 255.0) as u8
        }))
    })
}
