//! Reading batches, as a training reads them.

use std::time::Instant;

use data::{Domain, Fold};
use runner::RunnerError;
use serde_json::json;
use spec::RunConfig;

use super::open;
use super::spread::{Spread, time as words};
use crate::args::{BenchArgs, VERSION};
use crate::places::Places;
use crate::terminal::plural;

const SEED: u64 = 1;

pub(super) fn time(args: &BenchArgs, config: &RunConfig, places: &Places) -> anyhow::Result<()> {
    let began = Instant::now();
    let images = open(&config.data, places)?;
    let opened_s = began.elapsed().as_secs_f64();
    // Time, and images of both domains: the last batch of an epoch takes what is left.
    let mut batches: Vec<(f64, usize)> = Vec::new();
    for step in 1..=(1 + args.warm_up + args.steps) as u64 {
        let began = Instant::now();
        let batch = std::hint::black_box(images.batch(SEED, step).map_err(RunnerError::from)?);
        batches.push((began.elapsed().as_secs_f64(), 2 * batch.n));
    }
    let first_s = batches[0].0;
    let counted = &batches[1 + args.warm_up..];
    let batch = Spread::of(counted.iter().map(|(seconds, _)| *seconds));
    let read: usize = counted.iter().map(|(_, images)| images).sum();
    let images_per_s = read as f64 / counted.iter().map(|(seconds, _)| seconds).sum::<f64>();
    let folds = Fold::ALL.into_iter().flat_map(|fold| Domain::ALL.map(|it| (fold, it)));
    let count: usize = folds.map(|(fold, domain)| images.count(fold, domain)).sum();
    let (load, crop) = (config.data.load_size, config.data.crop_size);
    if args.json {
        let answer = json!({
            "version": VERSION,
            "load_size": load,
            "crop_size": crop,
            "batch_size": config.data.batch_size,
            "images": images.name(),
            "count": count,
            "opened_s": opened_s,
            "first_s": first_s,
            "batch": batch,
            "images_per_s": images_per_s,
        });
        tell!("{}", crate::terminal::json(&answer)?);
        return Ok(());
    }
    tell!("{}: {}, {load} px cropped to {crop} px", images.name(), plural(count, "image"));
    tell!("opened in {} (decoded and resized where that was not done before)", words(opened_s));
    tell!(
        "{} a batch of {} (median of {}; half of them {} to {}), {images_per_s:.0} images/s",
        words(batch.median_s),
        config.data.batch_size,
        counted.len(),
        words(batch.lower_quartile_s),
        words(batch.upper_quartile_s),
    );
    Ok(())
}
