//! The scatter matrix: pairs of axes and the metric, from three axes on.

use std::collections::BTreeSet;

use serde_json::json;
use track::AxisRecord;

use crate::fixture::Fixture;
use crate::html;
use crate::scores::{check_in, section};

/// The markup of the drawing.
fn svg(fixture: &Fixture) -> String {
    let page = html(&fixture.record);
    let svg =
        page.split("aria-labelledby=\"scatter-plot-t scatter-plot-d\"").nth(1).expect("a figure");
    svg.split("</svg>").next().expect("it ends").to_string()
}

/// Filled marks of all four colours.
fn marks(svg: &str) -> usize {
    [1, 2, 3, 4]
        .iter()
        .map(|ink| svg.matches(&format!("class=\"trace s{ink} fill\"")).count())
        .sum()
}

#[test]
fn three_axes_have_a_panel_a_pair_and_one_with_the_metric() {
    assert!(!html(&Fixture::grid(&[0, 1]).record).contains("scatter-plot"), "two axes have none");
    let fixture = Fixture::three_axes(&[0, 1]);
    let (svg, cells) = (svg(&fixture), fixture.record.plan.cells.len());
    assert!(svg.contains("<title") && svg.contains("<desc"), "it is read aloud");
    assert_eq!(marks(&svg), 6 * cells, "a mark a cell in each of six panels");
    for shape in ["<circle", "<polygon"] {
        assert!(svg.contains(shape), "colour is not alone: {shape}");
    }
    for words in ["up-sampling", "λ cycle →", "loss", "bilinear"] {
        assert!(svg.contains(words), "{words}");
    }
    let rings = svg.matches("<circle").count() - svg.matches("class=\"trace s1 fill\"").count();
    assert_eq!(rings, 6, "the baseline has a ring in every panel");
    check_in(
        &section(&fixture.record, "effects"),
        &["A mark a cell: axes by pairs, and their L1 A→B ↓", "the ring is the baseline."],
    );
}

#[test]
fn values_that_were_drawn_keep_their_distances() {
    let fixture = Fixture::drawn(30, &[0]);
    let svg = svg(&fixture);
    assert_eq!(marks(&svg), 6 * 31);
    // Round numbers of a log scale under the first column.
    for power in [">1<", ">10<"] {
        assert!(svg.replace('\n', "").contains(power), "{power}: {svg}");
    }
    let page = html(&fixture.record);
    let parallel = page.split("aria-labelledby=\"parallel-plot").nth(1).expect("a figure");
    let parallel = parallel.split("</svg>").next().expect("it ends").replace('\n', "");
    assert!(parallel.contains(">10<"), "the figure above has the same axes");
}

#[test]
fn of_many_axes_the_first_five_are_drawn_and_this_is_said() {
    let mut fixture = Fixture::drawn(24, &[0]);
    for more in 0..4_usize {
        let key = format!("optim.more{more}");
        for (at, cell) in fixture.record.plan.cells.iter_mut().enumerate() {
            cell.settings.push((key.clone(), json!(at % (more + 2))));
        }
        let values = (0..more + 2).map(|it| vec![json!(it)]).collect();
        let scale = "linear".to_string();
        let axis = AxisRecord { label: key.clone(), keys: vec![key], values, scale, when: None };
        fixture.record.plan.axes.push(axis);
    }
    assert_eq!(marks(&svg(&fixture)), 15 * 25, "fifteen panels");
    check_in(
        &section(&fixture.record, "effects"),
        &["The first 5 axes are drawn; 2 others are left out, and in the data."],
    );
    fixture.record.plan.axes.truncate(5);
    assert!(!section(&fixture.record, "effects").contains("axes are drawn"));
}

/// A mark that lies on another is not seen. Here all are triangles, and the metric's at one height.
#[test]
fn no_mark_hides_another() {
    let mut fixture = Fixture::three_axes(&[0]);
    for run in &mut fixture.record.runs {
        run.rows.iter_mut().filter(|it| it.name == "eval/l1_ab").for_each(|it| it.value = 0.25);
    }
    let svg = svg(&fixture);
    let marks = svg.split("<polygon ").skip(1).filter_map(|it| it.split("/>").next());
    let marks: Vec<&str> = marks.filter(|it| it.contains("trace s3 fill")).collect();
    let places: BTreeSet<&str> = marks
        .iter()
        .map(|it| it.split("points=\"").nth(1).and_then(|it| it.split('"').next()).expect("points"))
        .collect();
    let all = 6 * fixture.record.plan.cells.len();
    assert_eq!((marks.len(), places.len()), (all, all));
    assert!(!svg.contains("NaN"), "{svg}");
}
