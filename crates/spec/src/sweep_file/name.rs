//! The sweep's name, which is its folder's.

use super::required;
use crate::diagnostic::{Findings, Located, Place};
use crate::section::Section;

pub(super) fn name(
    section: &mut Section<'_>,
    place: Place,
    findings: &mut Findings,
) -> Option<Located<String>> {
    let value = required(section, "name", place, findings);
    let (_, node) = section.get("name")?;
    if !value.is_empty() && !is_name(&value) {
        let help = match slug(&value) {
            slug if is_name(&slug) => format!("write {slug:?}"),
            _ => "write a short name such as \"lambda\"".to_string(),
        };
        findings
            .error(node.place, format!("the name {value:?} cannot be a folder's name everywhere"))
            .label("1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit")
            .help(help);
    }
    Some(Located { value, place: node.place })
}

/// `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`: what every file system takes.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(allowed)
        // Windows drops a final dot, and keeps some names for devices, whatever follows their dot.
        && !text.ends_with('.')
        && !is_device(text.split('.').next().unwrap_or_default())
        // Beside the sweeps' folders lies the list of all runs.
        && text != "index.jsonl"
}

fn is_device(stem: &str) -> bool {
    let stem = stem.to_ascii_lowercase();
    let numbered =
        |it: &str| stem.strip_prefix(it).is_some_and(|n| matches!(n.as_bytes(), [b'1'..=b'9']));
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// The nearest name: every other run of characters becomes one `-`.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_matches(['-', '.', '_']);
    slug.chars().take(64).collect::<String>().trim_end_matches(['-', '.', '_']).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe_or_has_a_safe_neighbour() {
        let check = |name: &str, safe: bool, expected_slug: &str| {
            assert_eq!(is_name(name), safe, "{name}");
            assert_eq!(slug(name), expected_slug, "{name}");
        };
        check("lambda-x-loss", true, "lambda-x-loss");
        check("2025.run_1", true, "2025.run_1");
        check("../escape", false, "escape");
        check("λ sweep / two", false, "sweep-two");
        check(".hidden", false, "hidden");
        check("", false, "");
        check("ends.", false, "ends");
        check("con", false, "con");
        check("Aux.2", false, "Aux.2");
        check("com1", false, "com1");
        check("com10", true, "com10");
        check("console", true, "console");
        check("index.jsonl", false, "index.jsonl");
        check(&"x".repeat(65), false, &"x".repeat(64));
    }
}
