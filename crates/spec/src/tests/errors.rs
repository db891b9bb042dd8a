//! What is refused, and where the finding points.

mod axes;
mod cells;
mod conditions;
mod designs;
mod files;
mod images;
mod leaves;
mod sections;

use super::{document, read_alone, shown};
use crate::{Diagnostic, Rejected};

/// Stands in a case's text where the caret is expected.
const CARET: char = '‸';

/// Splits a case into its text and the expected line and column.
fn unmark(text: &str) -> (String, (usize, usize)) {
    let at = text.find(CARET).expect("the case marks its caret");
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let position = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
    (text.replace(CARET, ""), position)
}

fn refused(text: &str) -> Rejected {
    match read_alone(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(rejected) => rejected,
    }
}

/// One mistake, one error, at the caret, with all of the expected pieces.
fn check_text(marked: &str, expected: &[&str]) {
    let (text, position) = unmark(marked);
    let rejected = refused(&text);
    let errors: Vec<&Diagnostic> = rejected.errors().collect();
    assert_eq!(errors.len(), 1, "{marked}\n{rejected}");
    assert_eq!(errors[0].position(&rejected.sources), position, "{marked}\n{rejected}");
    for piece in expected {
        assert!(shown(errors[0]).contains(piece), "{marked}\n{}\nlacks {piece}", shown(errors[0]));
    }
}

fn check(sweep: &str, rest: &str, expected: &[&str]) {
    check_text(&document(sweep, rest), expected);
}
