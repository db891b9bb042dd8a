//! Named starting points, each a documented difference to the reference.
//!
//! A preset says in leaves what another implementation does; what no leaf can say stands in
//! [`Preset::beyond`], so that nobody takes a preset for a copy.

mod lua;
mod tf_tutorial;
mod yunjey;

use std::sync::LazyLock;

use serde_json::Value as Json;

use crate::leaf;
use crate::run_config::RunConfig;

/// What a run is when the file says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Upstream's own step: [`RunConfig::reference`].
    Reference,
    /// The paper's Eq. 1: log loss instead of least squares.
    PaperLog,
    /// TensorFlow's tutorial.
    TfTutorial,
    /// The authors' first code, in Lua.
    Lua,
    /// A small CycleGAN for 32 px that many read first.
    Yunjey,
}

/// One leaf in which a preset departs from the reference, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Departure {
    pub leaf: &'static str,
    pub value: Json,
    pub source: &'static str,
}

fn departure(leaf: &'static str, value: impl Into<Json>, source: &'static str) -> Departure {
    Departure { leaf, value: value.into(), source }
}

impl Preset {
    pub const ALL: [Preset; 5] =
        [Preset::Reference, Preset::PaperLog, Preset::TfTutorial, Preset::Lua, Preset::Yunjey];

    /// The name in sweep files.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Reference => "reference",
            Preset::PaperLog => "paper-log",
            Preset::TfTutorial => "tf-tutorial",
            Preset::Lua => "lua",
            Preset::Yunjey => "yunjey",
        }
    }

    /// What it stands for, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Preset::Reference => "junyanz/pytorch-CycleGAN-and-pix2pix at 2a7afba, its defaults",
            Preset::PaperLog => "the reference with the log loss of the paper's Eq. 1",
            Preset::TfTutorial => tf_tutorial::ABOUT,
            Preset::Lua => lua::ABOUT,
            Preset::Yunjey => yunjey::ABOUT,
        }
    }

    /// The differences to the reference in the order of the leaves, each with its source.
    pub fn departures(self) -> Vec<Departure> {
        match self {
            Preset::Reference => Vec::new(),
            Preset::PaperLog => vec![departure(
                "loss.gan_mode",
                "vanilla",
                "Zhu et al. 2017, Eq. 1 (§4 replaces it by least squares)",
            )],
            Preset::TfTutorial => tf_tutorial::departures(),
            Preset::Lua => lua::departures(),
            Preset::Yunjey => yunjey::departures(),
        }
    }

    /// What that implementation does otherwise and no leaf expresses, with the file it is in.
    pub fn beyond(self) -> &'static [&'static str] {
        match self {
            Preset::Reference => &REFERENCE_BEYOND,
            Preset::PaperLog => {
                &["Eq. 1 as printed has the generators minimise log(1 - D(G(x))); here, as in the \
                 reference's code, they maximise log D(G(x)) (models/networks.py, GANLoss)."]
            }
            Preset::TfTutorial => &tf_tutorial::BEYOND,
            Preset::Lua => &lua::BEYOND,
            Preset::Yunjey => &yunjey::BEYOND,
        }
    }

    /// Whether the preset itself decides a leaf.
    pub(crate) fn departs_in(self, leaf: &str) -> bool {
        self.departures().iter().any(|departure| departure.leaf == leaf)
    }

    /// The tree of [`Preset::config`], which every cell starts from.
    pub(crate) fn tree(self) -> &'static Json {
        static TREES: LazyLock<Vec<Json>> =
            LazyLock::new(|| Preset::ALL.map(|preset| leaf::tree(&preset.config())).into());
        let at = Preset::ALL.iter().position(|preset| *preset == self);
        &TREES[at.expect("every preset is listed")]
    }

    pub fn config(self) -> RunConfig {
        let mut tree = leaf::tree(&RunConfig::reference());
        for departure in self.departures() {
            leaf::set(&mut tree, departure.leaf, departure.value);
        }
        serde_json::from_value(tree).expect("departures hold values of their leaves")
    }
}

/// None of these shows at upstream's defaults.
const REFERENCE_BEYOND: [&str; 3] = [
    "With --lambda_A 0 --lambda_B 0 the identity terms vanish too (models/cycle_gan_model.py); \
     here the identity weight is then taken as given.",
    "--direction BtoA swaps the domains after sampling, so that folder B stays the one drawn with \
     replacement (models/cycle_gan_model.py, set_input); here they are swapped as they are read.",
    "--norm none drops the convolutions' biases along with the norm (models/networks.py, \
     use_bias); here they stay.",
];

/// The leaves in which `config` is not the preset: path, preset's value, its value.
pub fn difference(config: &RunConfig, preset: Preset) -> Vec<(String, Json, Json)> {
    let (from, to) = (leaf::tree(&preset.config()), leaf::tree(config));
    leaf::paths()
        .filter_map(|path| {
            let (from, to) = (leaf::get(&from, path)?, leaf::get(&to, path)?);
            (from != to).then(|| (path.to_string(), from.clone(), to.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check;
    use crate::run_config::*;

    #[test]
    fn presets_differ_from_the_reference_by_what_they_list() {
        for preset in Preset::ALL {
            let listed: Vec<(&str, Json)> =
                preset.departures().into_iter().map(|it| (it.leaf, it.value)).collect();
            let found = difference(&preset.config(), Preset::Reference);
            let found: Vec<(&str, Json)> =
                found.iter().map(|(path, _, value)| (path.as_str(), value.clone())).collect();
            assert_eq!(found, listed, "{}", preset.name());
        }
        assert_eq!(Preset::PaperLog.config().loss.gan_mode, GanMode::Vanilla);
    }

    #[test]
    fn every_preset_is_sound_and_says_where_it_is_from() {
        for preset in Preset::ALL {
            assert_eq!(check::problems(&preset.config()), [], "{}", preset.name());
            assert!(!preset.about().is_empty() && !preset.beyond().is_empty());
            for departure in preset.departures() {
                assert!(!departure.source.is_empty(), "{} {}", preset.name(), departure.leaf);
                assert!(preset.departs_in(departure.leaf));
            }
            // Each names its file.
            for sentence in preset.beyond() {
                let file = [".py", ".lua", ".ipynb"].iter().any(|ending| sentence.contains(ending));
                assert!(file && sentence.ends_with('.'), "{}: {sentence}", preset.name());
            }
        }
        assert!(!Preset::Lua.departs_in("pool.size"));
    }

    #[test]
    fn presets_hold_what_was_read_in_their_sources() {
        let tf = Preset::TfTutorial.config();
        assert_eq!(tf.model.generator, GeneratorKind::Unet256);
        assert_eq!(tf.loss.weight_identity(), Some(5.0));
        assert_eq!(tf.train.total_steps(1067), 10_670);
        let lua = Preset::Lua.config();
        assert_eq!((lua.data.load_size, lua.data.crop_size, lua.model.n_blocks), (143, 128, 6));
        assert_eq!(lua.optim.schedule, Schedule::LinearPaper);
        let yunjey = Preset::Yunjey.config();
        assert_eq!(yunjey.loss.weight_cycle_a(), Some(1.0));
        assert_eq!(yunjey.loss.weight_identity(), None);
        assert_eq!(yunjey.train.total_steps(7), 40_000);
    }

    #[test]
    fn difference_shows_both_values() {
        let mut config = RunConfig::reference();
        config.train.steps = Some(30);
        config.loss.lambda_cycle = 5.0;
        let expected = vec![
            ("loss.lambda_cycle".to_string(), json!(10.0), json!(5.0)),
            ("train.steps".to_string(), Json::Null, json!(30)),
        ];
        assert_eq!(difference(&config, Preset::Reference), expected);
    }
}
