//! Final metrics against the axes of a random design: cells where their numbers lie, levels with their
//! mean; and the files that figures save.

use serde_json::json;
use track::SweepRecord;

use crate::fixture::Fixture;
use crate::fixture::scores::{BASELINE, BETTER};
use crate::html;
use crate::scores::{SEVEN, check_in, section};

/// Of the figure with this id: its drawing, and the file of its data.
fn figure(record: &SweepRecord, id: &str) -> (String, String) {
    let page = html(record);
    let panel = page.split(&format!("aria-labelledby=\"{id}-t {id}-d\"")).nth(1).expect("a figure");
    let panel = panel.split("</figure>").next().expect("it ends");
    let (svg, below) = panel.split_once("</svg>").expect("the drawing ends");
    let csv = below.split("<template class=\"csv\">").nth(1).expect("a file");
    let csv = csv.split("</template>").next().expect("it ends").replace("&quot;", "\"");
    (svg.to_string(), csv)
}

/// Where the circles of a colour and a radius lie across.
fn circles(svg: &str, ink: usize, radius: i32) -> Vec<f64> {
    let own = format!("class=\"trace s{ink}");
    let circles = svg.split("<circle ").skip(1).filter_map(|it| it.split("/>").next());
    let own = circles.filter(|it| it.contains(&own) && it.contains(&format!("r=\"{radius}\"")));
    let across = own.filter_map(|it| it.split("cx=\"").nth(1)?.split('"').next()?.parse().ok());
    across.collect()
}

fn lines(svg: &str) -> Vec<usize> {
    let lines = svg.split("<polyline ").skip(1).filter(|it| it.contains("class=\"trace"));
    let points = lines.filter_map(|it| it.split("points=\"").nth(1)?.split('"').next());
    points.map(|it| it.split_whitespace().count()).collect()
}

#[test]
fn drawn_numbers_are_marks_on_their_own_scale_and_joined_to_none() {
    let fixture = Fixture::drawn(30, &[0, 1]);
    let (svg, _) = figure(&fixture.record, "effect-0-0");
    let found = circles(&svg, 1, 18);
    assert_eq!(found.len(), 30, "a mark a drawn cell: {svg}");
    assert_eq!(svg.matches("<polygon class=\"trace s0 fill\"").count(), 1, "and the baseline's");
    assert_eq!(lines(&svg), vec![2; 31], "bars, and no line through marks");
    let logs: Vec<f64> = fixture.record.plan.cells[1..]
        .iter()
        .map(|cell| cell.settings[0].1.as_f64().expect("a number").ln())
        .collect();
    let extreme = |better: fn(f64, f64) -> bool| {
        (0..logs.len()).reduce(|a, b| if better(logs[b], logs[a]) { b } else { a }).expect("cells")
    };
    let (low, high) = (extreme(|a, b| a < b), extreme(|a, b| a > b));
    for (at, log) in logs.iter().enumerate() {
        let share = (log - logs[low]) / (logs[high] - logs[low]);
        let place = found[low] + share * (found[high] - found[low]);
        assert!((found[at] - place).abs() <= 2.0, "cell {at} at {} instead of {place}", found[at]);
    }
    let words = svg.replace('\n', "");
    assert!(words.contains(">1<") && words.contains(">10<"), "round numbers beneath: {svg}");
    check_in(
        &section(&fixture.record, "effects"),
        &[
            "a cell the baseline",
            "A mark is a cell's own value, the mean over its seeds; bar: 95 % t interval over seeds. From mark to \
             mark the other axes differ, too, so no line joins them. Dashed line: mean of the baseline. λ cycle: \
             logarithmic axis.",
            "blocks: linear axis.",
        ],
    );
    let alone = section(&Fixture::drawn(30, &[0]).record, "effects");
    check_in(&alone, &["the mean over its seeds. From mark"]);
}

#[test]
fn an_axis_that_does_not_apply_to_a_cell_leaves_it_out() {
    let mut fixture = Fixture::drawn(30, &[0]);
    fixture.record.plan.cells[1..=4].iter_mut().for_each(|cell| cell.inactive = vec![0]);
    let (svg, _) = figure(&fixture.record, "effect-0-0");
    assert_eq!(circles(&svg, 1, 18).len(), 26);
    check_in(
        &section(&fixture.record, "effects"),
        &["4 cells are not drawn, where the axis does not apply."],
    );
}

#[test]
fn levels_of_a_random_design_are_means_of_their_cells() {
    let fixture = Fixture::drawn(30, &[0, 1]);
    let (svg, csv) = figure(&fixture.record, "effect-2-0");
    assert_eq!(circles(&svg, 1, 18).len(), 2, "a mark a level: {svg}");
    assert_eq!(circles(&svg, 1, 9).len(), 30, "a dot a drawn cell, without the baseline");
    let count = |mode: &str| {
        let own = |it: &&track::CellRecord| it.settings[2].1 == json!(mode);
        fixture.record.plan.cells[1..].iter().filter(own).count()
    };
    for mode in ["lsgan", "vanilla"] {
        assert!(svg.contains(&format!(" over {} cells", count(mode))), "{mode}: {svg}");
    }
    check_in(
        &section(&fixture.record, "effects"),
        &["Large mark: mean of the cells drawn at this level, in which the other axes differ, too"],
    );
    assert_eq!(csv.lines().count(), 1 + 31, "the data have the baseline, too");
}

#[test]
fn files_of_figures_have_a_number_a_column() {
    let fixture = Fixture::scored(&SEVEN);
    let summary = report::summary::summarise(&fixture.record, "eval/gain");
    let rows = |csv: &str| -> Vec<Vec<String>> {
        csv.lines().map(|it| it.split(',').map(str::to_string).collect()).collect()
    };
    let check = |id: &str, head: &str, name: &str, cell: usize, column: &str, expected: f64| {
        let (_, csv) = figure(&fixture.record, id);
        let rows = rows(&csv);
        assert!(csv.starts_with(head), "{id}: {csv}");
        let label = format!("\"{}\"", fixture.record.plan.cells[cell].label);
        let row = rows.iter().find(|row| row[0] == label).expect(name);
        let at = rows[0].iter().position(|it| *it == format!("\"{column}\"")).expect(column);
        assert_eq!(row[at].parse(), Ok(expected), "{id}, {column}: {row:?}");
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{id}: {csv}");
        let numbers = rows[1..].iter().flat_map(|row| row.iter().filter(|it| !it.starts_with('"')));
        for said in numbers {
            assert!(said.is_empty() || said.parse::<f64>().is_ok(), "{id}: {said}");
        }
    };
    let estimate = summary.cells[BETTER].estimate.expect("a value");
    let upper = estimate.interval.expect("seven seeds").upper;
    let head = "\"cell\",\"role\",\"λ cycle\",\"seeds\",\"mean\",\"low\",\"high\",\"seed 0\"";
    check("effect-0-0", head, "a cell", BETTER, "mean", estimate.mean);
    check("effect-0-0", head, "a cell", BETTER, "high", upper);
    check("effect-0-0", head, "a cell", BASELINE, "λ cycle", 10.0);
    let seed = summary.cells[BETTER].values[6].1;
    check("effect-0-0", head, "a cell", BETTER, "seed 6", seed);
    let contrast = summary.cells[BETTER].difference().expect("a difference");
    let lower = contrast.interval.expect("seven seeds").lower;
    let head = "\"cell\",\"seeds\",\"mean\",\"low\",\"high\",\"verdict\"";
    check("forest-plot", head, "a cell", BETTER, "mean", contrast.mean);
    check("forest-plot", head, "a cell", BETTER, "low", lower);
    let head = "\"cell\",\"minutes a run\",\"seeds\",\"mean\",\"low\",\"high\",\"on the front\"";
    check("tradeoff-plot", head, "a cell", BETTER, "high", upper);

    let (_, csv) = figure(&Fixture::three_axes(&[0, 1]).record, "parallel-plot");
    let baseline = csv.lines().find(|line| line.contains("\"baseline\"")).expect("its row");
    let start = "\"lambda_cycle=10 upsample=transpose gan_mode=lsgan\",\"baseline\",10,\"transpose\",\"lsgan\",";
    assert!(baseline.starts_with(start), "a role is no value of an axis: {baseline}");
}
