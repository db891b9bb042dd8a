//! The metrics that training and evaluation produce, and which way is better.

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    Minimize,
    Maximize,
}

/// Which of a run's values stands for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// The last one: chosen before looking.
    Last,
}

/// What the sweep is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    pub name: String,
    /// Whether the file names it; what is not named gives way to what the images can be scored by.
    pub declared: bool,
    pub goal: Goal,
    pub select: Select,
    /// Shown beside the metric, never selected by.
    pub secondary: Vec<String>,
}

/// A metric some part of the program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownMetric {
    pub name: &'static str,
    /// `None` where neither way is better: a GAN's losses measure a contest.
    pub goal: Option<Goal>,
}

const fn lower(name: &'static str) -> KnownMetric {
    KnownMetric { name, goal: Some(Goal::Minimize) }
}

const fn higher(name: &'static str) -> KnownMetric {
    KnownMetric { name, goal: Some(Goal::Maximize) }
}

const fn contest(name: &'static str) -> KnownMetric {
    KnownMetric { name, goal: None }
}

/// Evaluation on held-out images, then the training losses before λ, then with it.
const KNOWN: [KnownMetric; 30] = [
    lower("eval/l1_ab"),
    lower("eval/l1_ba"),
    higher("eval/psnr_ab"),
    higher("eval/psnr_ba"),
    higher("eval/ssim_ab"),
    higher("eval/ssim_ba"),
    lower("eval/cycle_a"),
    lower("eval/cycle_b"),
    lower("eval/idt_a"),
    lower("eval/idt_b"),
    contest("loss/gan_g_ab"),
    contest("loss/gan_g_ba"),
    lower("loss/cycle_a"),
    lower("loss/cycle_b"),
    lower("loss/idt_a"),
    lower("loss/idt_b"),
    contest("loss/d_a"),
    contest("loss/d_b"),
    contest("loss/gp_a"),
    contest("loss/gp_b"),
    contest("weighted/gan_g_ab"),
    contest("weighted/gan_g_ba"),
    // A weighted term falls when its weight does, so comparing arms by it says nothing.
    contest("weighted/cycle_a"),
    contest("weighted/cycle_b"),
    contest("weighted/idt_a"),
    contest("weighted/idt_b"),
    contest("weighted/d_a"),
    contest("weighted/d_b"),
    contest("weighted/gp_a"),
    contest("weighted/gp_b"),
];

/// Every metric a sweep may name.
pub fn known_metrics() -> &'static [KnownMetric] {
    &KNOWN
}

impl Default for Metric {
    /// L1 of the generated image to its true partner, on held-out pairs.
    fn default() -> Self {
        Metric {
            name: "eval/l1_ab".to_string(),
            declared: false,
            goal: Goal::Minimize,
            select: Select::Last,
            secondary: Vec::new(),
        }
    }
}
