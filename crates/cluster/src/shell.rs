//! Words as bash and every POSIX shell take them.

/// Single quotes keep everything but themselves. What needs none has none, so that scripts stay
/// readable.
pub(crate) fn word(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "/._-+,@:%".contains(c);
    match !text.is_empty() && text.chars().all(harmless) {
        true => text.to_string(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

pub(crate) fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::slurm::folders::{FOLDERS, random};

    /// The shell itself is asked.
    #[test]
    fn every_text_is_one_word() {
        let mut texts: Vec<String> = FOLDERS.iter().map(ToString::to_string).collect();
        texts.extend((0..40).map(random));
        texts.extend(["", "~", "#", "=x", "-n", "a=b", "*"].map(String::from));
        for text in texts {
            let script = format!("printf '%s|' {}", words([text.as_str(), "end"]));
            let said = Command::new("bash").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&said.stdout), format!("{text}|end|"), "{script}");
        }
    }
}
