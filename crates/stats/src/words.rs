//! Numbers inside sentences.

/// A p value without its leading zero: `.031`, `< .001`.
pub(crate) fn p(p: f64) -> String {
    if p < 0.0005 {
        return "< .001".into();
    }
    let rounded = (p * 1000.0).round() / 1000.0;
    if rounded >= 1.0 { "1".into() } else { rounded.to_string().replacen("0.", ".", 1) }
}

/// `p = .031`, `p < .001`.
pub(crate) fn p_is(value: f64) -> String {
    let words = p(value);
    if words.starts_with('<') { format!("p {words}") } else { format!("p = {words}") }
}

/// Decimals that show the largest of the values with three significant digits.
pub(crate) fn decimals(values: impl IntoIterator<Item = f64>) -> usize {
    let largest = values.into_iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return 2;
    }
    (2 - largest.log10().floor() as i64).clamp(0, 8) as usize
}

/// With a true minus sign; what rounds to zero has none.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let is_zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    if value < 0.0 && !is_zero { format!("−{text}") } else { text }
}

/// With a plus sign where it is positive: for differences.
pub(crate) fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    let is_zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    if value > 0.0 && !is_zero { format!("+{text}") } else { text }
}

pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_read_as_printed_in_papers() {
        let check = |value, expected: &str| assert_eq!(p_is(value), expected);
        check(0.25, "p = .25");
        check(0.03125, "p = .031");
        check(0.0625, "p = .063");
        check(0.001953125, "p = .002");
        check(0.0004, "p < .001");
        check(0.9999, "p = 1");
    }

    #[test]
    fn differences_have_true_signs() {
        let check = |found: String, expected: &str| assert_eq!(found, expected);
        check(signed(0.1234, decimals([0.1234, 0.05])), "+0.123");
        check(signed(-12.34, decimals([-12.34])), "−12.3");
        check(signed(0.0, decimals([0.0])), "0.00");
        check(fixed(-0.0001, 2), "0.00");
    }
}
