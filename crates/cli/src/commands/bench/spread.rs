//! The middle of many times.

use serde::Serialize;

/// Seconds: median and quartiles, between neighbours where they fall between two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) median_s: f64,
    pub(super) lower_quartile_s: f64,
    pub(super) upper_quartile_s: f64,
}

impl Spread {
    /// # Panics
    /// If there are no times.
    pub(super) fn of(times: impl IntoIterator<Item = f64>) -> Spread {
        let mut sorted: Vec<f64> = times.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * (sorted.len() - 1) as f64;
            let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Spread { median_s: at(0.5), lower_quartile_s: at(0.25), upper_quartile_s: at(0.75) }
    }
}

/// `59.1 ms`, `1.23 s`.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        1.0.. => format!("{seconds:.2} s"),
        0.1.. => format!("{:.0} ms", seconds * 1e3),
        0.001.. => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{:.0} µs", seconds * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles() {
        let check = |times: &[f64], expected: [f64; 3]| {
            let Spread { median_s, lower_quartile_s, upper_quartile_s } =
                Spread::of(times.iter().copied());
            assert_eq!([lower_quartile_s, median_s, upper_quartile_s], expected);
        };
        check(&[2.0], [2.0, 2.0, 2.0]);
        check(&[3.0, 1.0], [1.5, 2.0, 2.5]);
        check(&[5.0, 1.0, 4.0, 2.0, 3.0], [2.0, 3.0, 4.0]);
    }

    #[test]
    fn times_in_words() {
        for (seconds, words) in
            [(2.5, "2.50 s"), (0.25, "250 ms"), (0.0591, "59.1 ms"), (4e-5, "40 µs")]
        {
            assert_eq!(time(seconds), words);
        }
    }
}
