//! The weight files of `[init]`, tried before anything is made: otherwise every run that starts
//! from a wrong one finds it out for itself.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use model::weights::{self, NamedTensors, WeightsError};
use model::{Discriminator, Generator, InitialWeights, Network};
use spec::{Cell, ModelConfig, Plan, RunConfig};

use crate::device::ComputeDevice;
use crate::error::RunnerError;
use crate::export::ExportedNetwork;
use crate::weight_file;

/// The files that a run starts from. Without adversarial terms there is no discriminator, and
/// what is named for one is not read.
pub(crate) fn in_use(config: &RunConfig) -> impl Iterator<Item = (Network, &Path)> {
    named(config).filter(|(network, _)| is_there(*network, config))
}

pub(crate) fn leaf(network: Network) -> String {
    format!("init.{}", network.name())
}

/// Loads every distinct file once into every distinct network that it is named for.
///
/// # Errors
/// `InitialWeights` with all that is wrong.
pub(crate) fn check(plan: &Plan) -> Result<(), RunnerError> {
    let device = ComputeDevice::Cpu.open();
    let mut findings = Vec::new();
    for (path, uses) in uses(plan) {
        for (reason, uses) in refusals(path, &uses, &device) {
            let place = place(&uses, plan.cells.len());
            findings.push(format!("{place}: `{}` {reason}", path.display()));
        }
    }
    match findings.is_empty() {
        true => Ok(()),
        false => Err(RunnerError::InitialWeights { findings }),
    }
}

/// A word on files that are named for a network which is not there.
pub(crate) fn unused(plan: &Plan) -> Option<String> {
    let mut unused = Vec::new();
    for cell in &plan.cells {
        let of_cell = named(&cell.config).filter(|(network, _)| !is_there(*network, &cell.config));
        unused.extend(of_cell.map(|(network, _)| Use { network, cell }));
    }
    let place = (!unused.is_empty()).then(|| place(&unused, plan.cells.len()))?;
    Some(format!("not used, since loss.gan = false leaves the discriminators out: {place}"))
}

/// A word on exported files that say they are of another network than they start, or of one that
/// differs where tensors do not tell. Neither need be a mistake.
pub(crate) fn otherwise_trained(plan: &Plan) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    for (path, uses) in uses(plan) {
        let metadata = weight_file::read_metadata(path).ok();
        let Some(file) = metadata.as_ref().and_then(ExportedNetwork::read) else { continue };
        for Use { network, cell } in uses {
            let mut differs = traceless(&file.model, &cell.config.model);
            if file.network != network {
                differs.insert(0, format!("is {}", file.network.name()));
            }
            let word = format!("`{}` {}", path.display(), differs.join(" and "));
            if !differs.is_empty() && !words.contains(&word) {
                words.push(word);
            }
        }
    }
    (!words.is_empty()).then(|| format!("taken as it is for another network: {}", words.join("; ")))
}

/// What two networks with the same tensors differ in.
fn traceless(file: &ModelConfig, cell: &ModelConfig) -> Vec<String> {
    let leaves = [
        ("padding", format!("{:?}", file.padding), format!("{:?}", cell.padding)),
        ("upsample", format!("{:?}", file.upsample), format!("{:?}", cell.upsample)),
        ("norm", format!("{:?}", file.norm), format!("{:?}", cell.norm)),
    ];
    let different = leaves.into_iter().filter(|(_, file, cell)| file != cell);
    different
        .map(|(leaf, file, _)| format!("was trained with {leaf} {}", file.to_lowercase()))
        .collect()
}

/// A network of a cell, for which a file is named.
#[derive(Clone, Copy)]
struct Use<'a> {
    network: Network,
    cell: &'a Cell,
}

/// Each file with all that it is loaded into.
fn uses(plan: &Plan) -> BTreeMap<&Path, Vec<Use<'_>>> {
    let mut uses = BTreeMap::<&Path, Vec<Use<'_>>>::new();
    for cell in &plan.cells {
        for (network, path) in in_use(&cell.config) {
            uses.entry(path).or_default().push(Use { network, cell });
        }
    }
    uses
}

fn named(config: &RunConfig) -> impl Iterator<Item = (Network, &Path)> {
    let init = &config.init;
    let files = [
        (Network::GenAb, &init.gen_ab),
        (Network::GenBa, &init.gen_ba),
        (Network::DiscA, &init.disc_a),
        (Network::DiscB, &init.disc_b),
    ];
    files.into_iter().filter_map(|(network, path)| Some((network, Path::new(path.as_ref()?))))
}

fn is_there(network: Network, config: &RunConfig) -> bool {
    config.loss.gan || is_generator(network)
}

fn is_generator(network: Network) -> bool {
    matches!(network, Network::GenAb | Network::GenBa)
}

/// Why a file cannot be used, and for what: each reason once.
fn refusals<'a>(path: &Path, uses: &[Use<'a>], device: &Device) -> BTreeMap<String, Vec<Use<'a>>> {
    let tensors = match weight_file::read(path) {
        Ok(tensors) => tensors,
        Err(error) => return BTreeMap::from([(unreadable(error), uses.to_vec())]),
    };
    let mut tried: Vec<((bool, &ModelConfig), Option<String>)> = Vec::new();
    let mut refusals = BTreeMap::<String, Vec<Use<'a>>>::new();
    for &it in uses {
        let shape = (is_generator(it.network), &it.cell.config.model);
        let known = tried.iter().find(|(tried, _)| *tried == shape).map(|(_, it)| it.clone());
        let refusal = known.unwrap_or_else(|| {
            let refusal = load(shape, &tensors, device).err().map(|error| misfit(&error));
            tried.push((shape, refusal.clone()));
            refusal
        });
        if let Some(reason) = refusal {
            refusals.entry(reason).or_default().push(it);
        }
    }
    refusals
}

fn load(
    (is_generator, model): (bool, &ModelConfig),
    tensors: &NamedTensors,
    device: &Device,
) -> Result<(), WeightsError> {
    let undrawn = InitialWeights::undrawn(device);
    let tensors = tensors.clone();
    match is_generator {
        true => weights::load(Generator::new(model, &undrawn), model, tensors).map(drop),
        false => weights::load(Discriminator::new(model, &undrawn), model, tensors).map(drop),
    }
}

/// The error without the path, which stands before it.
fn unreadable(error: RunnerError) -> String {
    match error {
        RunnerError::NoWeights { what, .. } => what.to_string(),
        RunnerError::ReadWeights { source, .. } => format!("cannot be read: {source}"),
        RunnerError::Weights { source, .. } => misfit(&source),
        error => error.chain(),
    }
}

/// What the file looks like comes first: the list of tensors only follows from it.
fn misfit(error: &WeightsError) -> String {
    let WeightsError::Mismatch { problems, hint } = error else {
        let cause = std::error::Error::source(error).map(|it| format!(": {it}"));
        return format!("cannot be used: {error}{}", cause.unwrap_or_default());
    };
    let mut text = match hint {
        Some(hint) => format!("looks like {hint}; it does not fit [model]:"),
        None => "does not fit [model]:".to_string(),
    };
    const SHOWN: usize = 3;
    text.extend(problems.iter().take(SHOWN).map(|it| format!("\n    {it}")));
    if problems.len() > SHOWN {
        text += &format!("\n    … and {} more", problems.len() - SHOWN);
    }
    text
}

/// Leaves and cells, as in ``init.gen_ab, init.gen_ba of cell `ngf=4` ``.
fn place(uses: &[Use<'_>], all_cells: usize) -> String {
    let mut leaves: Vec<String> = Vec::new();
    let mut cells: Vec<String> = Vec::new();
    for it in uses {
        for (list, name) in
            [(&mut leaves, leaf(it.network)), (&mut cells, format!("`{}`", it.cell.label))]
        {
            if !list.contains(&name) {
                list.push(name);
            }
        }
    }
    const SHOWN: usize = 4;
    let cells = match cells.len() {
        n if n == all_cells => "every cell".to_string(),
        1 => format!("cell {}", cells[0]),
        n if n <= SHOWN => format!("cells {}", cells.join(", ")),
        n => format!("cells {} and {} more", cells[..SHOWN].join(", "), n - SHOWN),
    };
    format!("{} of {cells}", leaves.join(", "))
}
