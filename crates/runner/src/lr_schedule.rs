//! The learning rate over time: constant, then linear (paper §4, upstream options).

use spec::{OptimConfig, Schedule, TrainConfig};

/// Factor on `lr_g` and `lr_d` for one step.
///
/// Counted in epochs (from 1) where the run is given in epochs, in steps (from 1) otherwise.
/// In [0, 1].
pub(crate) fn lr_factor(optim: &OptimConfig, train: &TrainConfig, epoch: u64, step: u64) -> f64 {
    let (now, constant, decay) = match train.steps {
        Some(steps) => (step, steps, train.steps_decay.unwrap_or(0)),
        None => {
            let epochs = |n: Option<u32>| u64::from(n.unwrap_or(0));
            (epoch, epochs(train.n_epochs), epochs(train.n_epochs_decay))
        }
    };
    match optim.schedule {
        Schedule::Constant => 1.0,
        Schedule::LinearTorch => 1.0 - fraction(now.saturating_sub(constant), decay + 1),
        Schedule::LinearPaper => 1.0 - fraction(now.saturating_sub(constant + 1), decay),
    }
}

fn fraction(done: u64, of: u64) -> f64 {
    if done == 0 { 0.0 } else { (done as f64 / of.max(1) as f64).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::RunConfig;

    /// Factors at epochs 100, 101, 199 and 200 of 100 + 100, from upstream's history.
    #[test]
    fn both_laws_at_the_published_epochs() {
        let check = |schedule, expected: [f64; 4]| {
            let config = RunConfig::reference();
            let optim = OptimConfig { schedule, ..config.optim };
            let found =
                [100, 101, 199, 200].map(|epoch| lr_factor(&optim, &config.train, epoch, 0));
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{schedule:?}: {found} {expected}");
            }
        };
        let torch = |left: f64| left / 101.0;
        check(Schedule::LinearTorch, [1.0, torch(100.0), torch(2.0), torch(1.0)]);
        check(Schedule::LinearPaper, [1.0, 1.0, 0.02, 0.01]);
        check(Schedule::Constant, [1.0; 4]);
    }

    /// PyTorch's scheduler with upstream's rule, and the loop of the authors' Lua code.
    #[test]
    fn every_epoch_s_factor_is_the_reference_s() {
        #[derive(serde::Deserialize)]
        struct Law {
            law: Schedule,
            n_epochs: u32,
            n_epochs_decay: u32,
            factors: Vec<f64>,
        }
        let laws = crate::reference::cases::<Law>("lr_factors.json");
        assert_eq!(laws.len(), 4);
        for Law { law, n_epochs, n_epochs_decay, factors } in laws {
            let config = RunConfig::reference();
            let optim = OptimConfig { schedule: law, ..config.optim };
            let (n_epochs, n_epochs_decay) = (Some(n_epochs), Some(n_epochs_decay));
            let train = TrainConfig { n_epochs, n_epochs_decay, ..config.train };
            for (epoch, expected) in (1..).zip(factors) {
                let found = lr_factor(&optim, &train, epoch, 0);
                // The Lua loop subtracts up to a hundred times in float64.
                assert!((found - expected).abs() < 1e-12, "{law:?} {epoch}: {found} {expected}");
            }
        }
    }

    #[test]
    fn steps_count_where_the_run_is_given_in_steps() {
        let config = RunConfig::reference();
        let train = TrainConfig { steps: Some(4), steps_decay: Some(4), ..config.train };
        let factors: Vec<f64> =
            (1..=8).map(|step| lr_factor(&config.optim, &train, 999, step)).collect();
        assert_eq!(factors, [1.0, 1.0, 1.0, 1.0, 0.8, 0.6, 0.4, 0.19999999999999996]);
    }

    #[test]
    fn without_a_decay_the_rate_stays() {
        let config = RunConfig::reference();
        let train = TrainConfig { steps: Some(5), steps_decay: None, ..config.train };
        assert!((1..=5).all(|step| lr_factor(&config.optim, &train, 1, step) == 1.0));
    }
}
