use crate::differences::Side;
use crate::factorial::GridRun;

/// Numbers that no statistic can be made of.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatsError {
    #[error("seed {seed} occurs twice in {side}")]
    SeedTwice { side: Side, seed: u64 },
    #[error(
        "seed {seed} of {side} has the value {value}; a run without a finite value counts as failed"
    )]
    NotFinite { side: Side, seed: u64, value: f64 },
    #[error("failed runs cannot count as {value}")]
    FailedAs { value: f64 },
    #[error(
        "run {run} of `{task}` has the score {value}; a run without a finite score counts as failed"
    )]
    Score { task: String, run: usize, value: f64 },
    #[error("a grid needs a factor and a run")]
    NoGrid,
    #[error("`{factor}` has fewer than two levels: nothing varied")]
    OneLevel { factor: String },
    #[error("cell {cell:?} is not in the grid")]
    NoSuchCell { cell: Vec<usize> },
    #[error("{run} has the value {value}; a run without a finite value counts as failed")]
    GridValue { run: GridRun, value: f64 },
    #[error("{run} is there twice")]
    CellTwice { run: GridRun },
    #[error("there is no parameter whose importance could be told")]
    NoParameter,
    #[error("{count} cells, fewer than {needed}: too few to tell importance from luck")]
    TooFewCells { count: usize, needed: usize },
    #[error("a cell has the outcome {value}; one without a finite value is to be left out")]
    Outcome { value: f64 },
    #[error("the parameter `{parameter}` has the value {value}, which its scale does not have")]
    Drawn { parameter: String, value: f64 },
    #[error("the parameter `{parameter}` has {found} values for {cells} cells")]
    Uneven { parameter: String, found: usize, cells: usize },
    #[error("all cells are equally good, so none are the best")]
    NoBest,
    #[error("the grid lacks {}: {}", crate::words::plural(*.count, "run"), named(missing, *.count))]
    NotBalanced {
        /// All that are missing.
        count: usize,
        /// The first of them.
        missing: Vec<GridRun>,
    },
}

fn named(missing: &[GridRun], count: usize) -> String {
    let mut words: Vec<String> = missing.iter().map(GridRun::to_string).collect();
    if count > missing.len() {
        words.push(format!("and {} more", count - missing.len()));
    }
    words.join("; ")
}
