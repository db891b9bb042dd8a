//! The numbers of a figure, beneath it: rounded in a table that is read, and exact in the file that the
//! figure's button saves. In both a column holds words, or one number a row.

use track::{AxisRecord, CellRecord, SweepRecord};

use super::{folded_data, level, plain_table};
use crate::escape::esc;
use crate::number::MISSING;
use crate::summary::{Summary, number_on};

pub(crate) struct FigureData {
    columns: Vec<Column>,
    rows: Vec<Vec<Datum>>,
}

pub(crate) struct Column {
    head: String,
    /// In the file, where nothing stands beside it that would explain it.
    name: String,
    is_number: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Datum {
    Words(String),
    /// As computed, and as written in the table.
    Number(Option<f64>, String),
}

impl Column {
    pub(crate) fn words(head: &str) -> Column {
        Column { head: head.into(), name: head.into(), is_number: false }
    }

    pub(crate) fn number(head: &str) -> Column {
        Column { is_number: true, ..Column::words(head) }
    }

    pub(crate) fn named(self, name: &str) -> Column {
        Column { name: name.into(), ..self }
    }

    /// Of an axis: numbers alone, or words.
    pub(crate) fn axis(record: &SweepRecord, axis: &AxisRecord) -> Column {
        let is_number = has_numbers(record, axis);
        Column { is_number, ..Column::words(&axis.label) }
    }

    /// Of a 95 % interval.
    pub(crate) fn ends() -> [Column; 2] {
        [Column::number("95 % interval from").named("low"), Column::number("to").named("high")]
    }
}

impl Datum {
    /// What is not known is no number.
    pub(crate) fn number(value: Option<f64>, write: impl Fn(f64) -> String) -> Datum {
        Datum::Number(value, value.map_or_else(|| MISSING.into(), write))
    }

    /// As [`Column::axis`] has it.
    pub(crate) fn on_axis(record: &SweepRecord, axis: &AxisRecord, cell: &CellRecord) -> Datum {
        match number_on(axis, cell).filter(|_| has_numbers(record, axis)) {
            Some(value) => Datum::Number(Some(value), level(axis, cell)),
            None => Datum::Words(level(axis, cell)),
        }
    }

    /// Has a column of its own: beside an axis it would be taken for one of its values.
    pub(crate) fn role(summary: &Summary, cell: usize) -> Datum {
        let is_baseline = summary.baseline == Some(cell);
        Datum::Words(if is_baseline { "baseline" } else { "" }.into())
    }

    pub(crate) fn count(count: usize) -> Datum {
        Datum::Number(Some(count as f64), count.to_string())
    }

    fn shown(&self) -> String {
        match self {
            Datum::Words(said) | Datum::Number(_, said) => said.clone(),
        }
    }

    fn exact(&self) -> String {
        match self {
            Datum::Words(said) => quoted(said),
            // The shortest digits that are read back as the same number.
            Datum::Number(Some(value), _) if value.is_finite() => value.to_string(),
            Datum::Number(..) => String::new(),
        }
    }
}

fn has_numbers(record: &SweepRecord, axis: &AxisRecord) -> bool {
    record.plan.cells.iter().all(|cell| number_on(axis, cell).is_some())
}

/// A spreadsheet would calculate what begins like a formula, and names may come from strangers.
fn quoted(said: &str) -> String {
    let guard = if said.starts_with(['=', '@', '+', '-']) { "'" } else { "" };
    format!("\"{guard}{}\"", said.replace('"', "\"\""))
}

impl FigureData {
    pub(crate) fn new(columns: impl IntoIterator<Item = Column>) -> FigureData {
        FigureData { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, row: impl IntoIterator<Item = Datum>) {
        self.rows.push(row.into_iter().collect());
    }

    /// The table, folded, and the file behind it, which has no look.
    pub(crate) fn folded(&self) -> String {
        format!(
            "{}<template class=\"csv\">{}</template>\n",
            folded_data(&self.table()),
            esc(self.csv())
        )
    }

    fn table(&self) -> String {
        let head = |it: &Column| format!("{}{}", it.head, if it.is_number { "#" } else { "" });
        let heads: Vec<String> = self.columns.iter().map(head).collect();
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(Datum::shown).collect());
        plain_table(&heads, &rows.collect::<Vec<_>>())
    }

    fn csv(&self) -> String {
        let names = self.columns.iter().map(|it| quoted(&it.name)).collect::<Vec<_>>().join(",");
        let rows = self.rows.iter().map(|row| {
            let cells: Vec<String> = row.iter().map(Datum::exact).collect();
            format!("\n{}", cells.join(","))
        });
        names + &rows.collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_a_number_a_column_as_it_was_computed() {
        let mut data = FigureData::new(
            [Column::words("cell"), Column::number("mean")].into_iter().chain(Column::ends()),
        );
        let short = |value: f64| format!("{value:.2}");
        let ends = [Some(-1e-9), None].map(|end| Datum::number(end, short));
        data.row(
            [Datum::Words("=a \"b\"".into()), Datum::number(Some(0.1 + 0.2), short)]
                .into_iter()
                .chain(ends),
        );
        assert_eq!(
            data.csv(),
            "\"cell\",\"mean\",\"low\",\"high\"\n\"'=a \"\"b\"\"\",0.30000000000000004,-0.000000001,"
        );
        let table = data.table();
        assert!(table.contains(">0.30</td>") && table.contains(">—</td>"), "{table}");
        assert_eq!(Datum::number(Some(f64::NAN), short).exact(), "");
    }
}
