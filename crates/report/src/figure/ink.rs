//! Colours that stand for classes of the style sheet.

use plotters::style::RGBColor;

/// Colours of the palette, hence the most cells one plot tells apart.
pub(crate) const SERIES: usize = 8;

/// What a stroke or a filling is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Text,
    Grid,
    /// A reference to compare with, dashed.
    Reference,
    /// Colour and dash of a series.
    Series(usize),
    /// The colour of a series, undashed.
    Trace(usize),
    /// The one line among many that is looked for.
    Lead,
}

impl Ink {
    /// A colour no figure uses for its own sake: red 1, green the kind, blue the series.
    pub(super) fn colour(self) -> RGBColor {
        let (kind, series) = match self {
            Ink::Text => (1, 0),
            Ink::Grid => (2, 0),
            Ink::Reference => (3, 0),
            Ink::Series(series) => (4, series % SERIES),
            Ink::Trace(series) => (5, series % SERIES),
            Ink::Lead => (6, 0),
        };
        RGBColor(1, kind, series as u8)
    }
}

/// Exchanges the colours for classes, and drops what the style sheet decides.
pub(super) fn to_classes(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len());
    let mut rest = svg;
    while let Some(at) = rest.find("=\"#01") {
        let (before, tail) = rest.split_at(at);
        let code = &tail[5..9];
        let class = match &code[..2] {
            "01" => "ink".into(),
            "02" => "grid".into(),
            "03" => "reference".into(),
            "04" => format!("series s{}", &code[3..]),
            "06" => "lead".into(),
            _ => format!("trace s{}", &code[3..]),
        };
        if let Some(before) = before.strip_suffix("stroke") {
            out.push_str(before);
            out.push_str(&format!("class=\"{class}\""));
        } else {
            out.push_str(before.strip_suffix("fill").unwrap_or(before));
            out.push_str(&format!("class=\"{class} fill\""));
        }
        rest = &tail[10..];
    }
    out.push_str(rest);
    out.replace(" opacity=\"1\"", "")
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" stroke=\"none\"", "")
}

/// The sample of a series in a legend, in the units of the figures.
pub(crate) fn swatch(series: usize, marked: bool) -> String {
    let series = series % SERIES;
    // The shapes of the effect plots' marks, about the middle of the line.
    let shape = match series % 4 {
        1 => "<circle cx=\"64\" cy=\"24\" r=\"18\"",
        2 => "<rect x=\"48\" y=\"8\" width=\"32\" height=\"32\"",
        3 => "<polygon points=\"64,2 85,40 43,40\"",
        _ => "<polygon points=\"64,0 88,24 64,48 40,24\"",
    };
    let mark =
        if marked { format!("{shape} class=\"trace s{series} fill\"/>") } else { String::new() };
    format!(
        "<svg class=\"swatch\" viewBox=\"0 0 128 48\" width=\"32\" height=\"12\" aria-hidden=\"true\">\
         <line class=\"series s{series}\" stroke-width=\"8\" x1=\"0\" y1=\"24\" x2=\"128\" y2=\"24\"/>{mark}</svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes() {
        let check = |input: &str, expected: &str| assert_eq!(to_classes(input), expected);
        check(
            "<line opacity=\"1\" stroke=\"#010200\" x1=\"0\"/>",
            "<line class=\"grid\" x1=\"0\"/>",
        );
        check(
            "<polygon opacity=\"0.2\" fill=\"#010403\"/>",
            "<polygon opacity=\"0.2\" class=\"series s3 fill\"/>",
        );
        check("<text fill=\"#010100\">#01</text>", "<text class=\"ink fill\">#01</text>");
    }
}
