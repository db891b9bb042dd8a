//! Names of cells: from what varies, or from the file's `run_name` template.

use serde_json::Value as Json;

use crate::diagnostic::Located;
use crate::leaf::{self, show};
use crate::run_config::RunConfig;
use crate::settings::Reading;

/// `lambda_cycle=10, gan_mode=lsgan`: the leaves' last segments, or their
/// paths where two of `varying` share a segment.
pub(crate) fn from_leaves(
    config: &RunConfig,
    leaves: &[&'static str],
    varying: &[&'static str],
) -> String {
    if leaves.is_empty() {
        return "default".to_string();
    }
    let tree = leaf::tree(config);
    let parts: Vec<String> = leaves
        .iter()
        .map(|path| {
            let value = leaf::get(&tree, path).unwrap_or(&Json::Null);
            format!("{}={}", short(path, varying), show(value))
        })
        .collect();
    parts.join(", ")
}

fn short<'a>(path: &'a str, varying: &[&str]) -> &'a str {
    let last = |path: &'a str| path.rsplit('.').next().unwrap_or(path);
    let segment = last(path);
    let shared =
        varying.iter().any(|other| *other != path && other.rsplit('.').next() == Some(segment));
    if shared { path } else { segment }
}

/// A checked `run_name`: text and leaves in turn.
pub(crate) struct Template {
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    Leaf(&'static str),
}

impl Template {
    /// Reads `lam{loss.lambda_cycle}-{loss.gan_mode}`.
    pub(crate) fn read(template: &Located<String>, reading: &mut Reading) -> Option<Template> {
        let mut parts = Vec::new();
        let mut rest = template.value.as_str();
        while let Some(open) = rest.find(['{', '}']) {
            parts.push(Part::Text(rest[..open].to_string()));
            let end = rest[open..].find('}').filter(|_| rest[open..].starts_with('{'));
            let Some(end) = end else {
                reading
                    .error(template.place, "`run_name` has a brace without its partner")
                    .help("write {section.leaf}");
                return None;
            };
            let path = &rest[open + 1..open + end];
            parts.push(Part::Leaf(reading.leaf(path, template.place)?));
            rest = &rest[open + end + 1..];
        }
        parts.push(Part::Text(rest.to_string()));
        Some(Template { parts })
    }

    pub(crate) fn fill(&self, config: &RunConfig) -> String {
        let tree = leaf::tree(config);
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Leaf(path) => show(leaf::get(&tree, path).unwrap_or(&Json::Null)),
            })
            .collect()
    }
}

/// A label as a folder's name: `lambda_cycle=10, gan_mode=lsgan` becomes
/// `lambda_cycle10-lsgan`. At most 48 characters; not unique by itself.
pub(crate) fn slug(label: &str) -> String {
    let parts: Vec<String> = label
        .split(", ")
        .map(|part| match part.split_once('=') {
            Some((name, value)) if value.parse::<f64>().is_ok() => format!("{name}{value}"),
            Some((name, value @ ("true" | "false" | "none"))) => format!("{name}-{value}"),
            Some((_, value)) => value.to_string(),
            None => part.to_string(),
        })
        .collect();
    let slug: String = crate::sweep_file::slug(&parts.join("-")).chars().take(48).collect();
    let slug = slug.trim_end_matches(['-', '.', '_']);
    if slug.is_empty() { "cell".to_string() } else { slug.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_short_and_safe() {
        let check = |label: &str, expected: &str| assert_eq!(slug(label), expected, "{label}");
        check("lambda_cycle=10, gan_mode=lsgan", "lambda_cycle10-lsgan");
        check("lr_g=2e-4", "lr_g2e-4");
        check("flip=false", "flip-false");
        check("path=../data/horse2zebra", "data-horse2zebra");
        check("lam10/../lsgan", "lam10-..-lsgan");
        check("λ", "cell");
        check("default", "default");
        assert_eq!(slug(&"x".repeat(100)).len(), 48);
    }
}
