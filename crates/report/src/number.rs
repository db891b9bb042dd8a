//! Numbers as a reader wants them: fixed decimals within a column, a true minus sign.

use serde_json::Value;

/// What stands where there is no value. Never a zero.
pub(crate) const MISSING: &str = "—";

/// Decimals that show the largest of the values with four significant digits.
pub(crate) fn decimals(values: impl IntoIterator<Item = f64>) -> usize {
    let largest =
        values.into_iter().filter(|v| v.is_finite()).fold(0.0, |m: f64, v| m.max(v.abs()));
    if largest == 0.0 {
        return 3;
    }
    (3 - largest.log10().floor() as i64).clamp(0, 6) as usize
}

pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞".into() } else { "−∞".into() };
    }
    let magnitude = value.abs();
    let text = if magnitude >= 1e7 || (magnitude > 0.0 && magnitude < 1e-6) {
        format!("{magnitude:.3e}")
    } else {
        format!("{magnitude:.decimals$}")
    };
    // A value that rounds to zero has no sign.
    if value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        format!("−{text}")
    } else {
        text
    }
}

/// With a plus sign where it is positive: for differences.
pub(crate) fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    if value > 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        format!("+{text}")
    } else {
        text
    }
}

/// Digits in groups of three, by a space that neither breaks nor widens.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && digits.len() > 4 {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A setting as it would be typed, without quotes.
pub(crate) fn setting(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".into(),
        Value::Number(number) => match number.as_f64() {
            Some(v) if v.fract() == 0.0 && v.abs() < 1e15 => format!("{v:.0}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// A p value without its leading zero: `.031`, `< .001`.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.0005 {
        return "<\u{a0}.001".into();
    }
    let text = format!("{p:.3}");
    if text.starts_with('1') { "1".into() } else { text.trim_start_matches('0').into() }
}

/// A share in whole percent: `33 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0}\u{a0}%", share * 100.0)
}

pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_share_their_decimals() {
        let check = |values: &[f64], expected| {
            assert_eq!(decimals(values.iter().copied()), expected, "{values:?}")
        };
        check(&[0.2034], 4);
        check(&[18.3, 2.0], 2);
        check(&[-140.0], 1);
        check(&[f64::NAN, 1.0], 3);
        check(&[], 3);
        check(&[1e-9], 6);
    }

    #[test]
    fn signs_are_true_and_zero_has_none() {
        let check = |found: String, expected: &str| assert_eq!(found, expected);
        check(fixed(-1.25, 1), "−1.2");
        check(fixed(-0.001, 2), "0.00");
        check(signed(0.5, 2), "+0.50");
        check(signed(0.001, 2), "0.00");
        check(fixed(f64::NAN, 2), "NaN");
        check(fixed(3.2e8, 2), "3.200e8");
        check(grouped(1200), "1200");
        check(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        check(setting(&serde_json::json!(10.0)), "10");
        check(setting(&serde_json::json!(0.0002)), "0.0002");
        check(setting(&Value::Null), "none");
    }

    #[test]
    fn chances_read_as_printed_in_papers() {
        let check = |found: String, expected: &str| assert_eq!(found, expected);
        check(p_value(0.03125), ".031");
        check(p_value(0.0004), "<\u{a0}.001");
        check(p_value(0.9999), "1");
        check(p_value(0.25), ".250");
        check(percent(1.0 / 3.0), "33\u{a0}%");
    }
}
