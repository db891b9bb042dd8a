//! The same held-out inputs, translated by every run.

use burn::tensor::Device;
use data::{Dataset, Domain, Fold, Image};
use model::CycleGan;
use track::{SampleKind, SampleWriter};

use crate::error::RunnerError;
use crate::evaluate::{self, Direction, letter};
use crate::train::Setting;

/// Held-out inputs by domain letter and id.
pub(crate) type SampleIds = Vec<(String, String)>;

/// The inputs a sweep shows: those asked for as `A/id`, else `count` a domain, evenly spread.
///
/// # Errors
/// `UnknownSample` for an id that is not among the held-out images.
pub(crate) fn choose(
    dataset: &Dataset,
    fold: Fold,
    asked: &spec::Samples,
) -> Result<SampleIds, RunnerError> {
    if !asked.ids.is_empty() {
        let chosen = asked.ids.iter().map(|id| {
            let (domain, name) = id.split_once('/').unwrap_or_default();
            let domain = domain.to_lowercase();
            let known = Domain::ALL
                .into_iter()
                .any(|of| letter(of) == domain && find(dataset, fold, of, name).is_some());
            match known {
                true => Ok((domain, name.to_string())),
                false => Err(RunnerError::UnknownSample { id: id.clone() }),
            }
        });
        return chosen.collect();
    }
    let spread = |domain: Domain| {
        let count = dataset.count(fold, domain);
        let wanted = (asked.count as usize).min(count);
        (0..wanted).map(move |i| {
            let index = i * count / wanted;
            (letter(domain).to_string(), dataset.id(fold, domain, index).to_string())
        })
    };
    Ok(Domain::ALL.into_iter().flat_map(spread).collect())
}

/// Writes real, fake, reconstruction, identity and, where known, truth of every input.
/// Inputs that this data set does not have are left out.
pub(crate) fn save(
    networks: &CycleGan,
    setting: &Setting<'_>,
    device: &Device,
    step: u64,
    writer: &mut SampleWriter,
) -> Result<(), RunnerError> {
    let Setting { config, dataset, samples, claim, .. } = *setting;
    let fold = evaluate::fold(config.eval.fold);
    for direction in Direction::both(networks, device) {
        let domain = letter(direction.input);
        for (_, id) in samples.iter().filter(|(of, _)| of == domain) {
            let Some(index) = find(dataset, fold, direction.input, id) else { continue };
            let real = dataset.held_out(fold, direction.input, index)?;
            let size = real.size;
            let made = direction.translate(real.to_unit_chw(), size);
            let mut put = |kind, image: &Image| -> Result<(), RunnerError> {
                Ok(writer.put(claim, step, domain, id, kind, &image.png())?)
            };
            put(SampleKind::Real, &real)?;
            put(SampleKind::Fake, &Image::from_unit_chw(&made.fake, size))?;
            put(SampleKind::Rec, &Image::from_unit_chw(&made.rec, size))?;
            put(SampleKind::Idt, &Image::from_unit_chw(&made.idt, size))?;
            if dataset.paired(fold) {
                put(SampleKind::Truth, &dataset.held_out(fold, direction.input.other(), index)?)?;
            }
        }
    }
    Ok(())
}

fn find(dataset: &Dataset, fold: Fold, domain: Domain, id: &str) -> Option<usize> {
    (0..dataset.count(fold, domain)).find(|&index| dataset.id(fold, domain, index) == id)
}
