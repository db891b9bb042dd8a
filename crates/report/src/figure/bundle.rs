//! Marks that would lie on each other, side by side.

/// Of marks at one place: from one to the next, and all of them together as a share of the room
/// between two levels.
const STEP: f64 = 10.0;
const BUNDLE: f64 = 0.7;
/// Less than this and two marks look like one.
const LEAST: f64 = 3.0;

/// In CSS pixels from the lower left. One upon the other marks would be one; they give way along axes
/// of levels, so that values stay where they are.
pub(super) fn apart(
    places: &[(f64, f64)],
    (width, height): (f64, f64),
    has_levels: (bool, bool),
) -> Vec<(f64, f64)> {
    let room_x = BUNDLE * closest(places.iter().map(|it| it.0)) * width;
    let room_y = BUNDLE * closest(places.iter().map(|it| it.1)) * height;
    let px: Vec<(f64, f64)> = places.iter().map(|(x, y)| (x * width, y * height)).collect();
    let turned = |all: &[(f64, f64)]| all.iter().map(|(x, y)| (*y, *x)).collect::<Vec<_>>();
    match has_levels {
        (true, false) => in_lanes(&px, room_x),
        (false, true) => turned(&in_lanes(&turned(&px), room_y)),
        _ => in_blocks(&px, (room_x, room_y)),
    }
}

/// Marks of one level that are near each other in the other axis, a lane each.
fn in_lanes(px: &[(f64, f64)], room: f64) -> Vec<(f64, f64)> {
    let mut order: Vec<usize> = (0..px.len()).collect();
    order.sort_by(|&a, &b| px[a].1.total_cmp(&px[b].1));
    // By level, and in it by lane, where the last mark stands.
    let mut levels: Vec<(f64, Vec<f64>)> = Vec::new();
    let mut lanes = vec![0; px.len()];
    for at in order {
        let (level, value) = px[at];
        let known = levels.iter().position(|(other, _)| *other == level);
        let known = known.unwrap_or_else(|| {
            levels.push((level, Vec::new()));
            levels.len() - 1
        });
        let last = &mut levels[known].1;
        let free = last.iter().position(|other| value - other >= STEP);
        lanes[at] = free.unwrap_or(last.len());
        if lanes[at] == last.len() { last.push(value) } else { last[lanes[at]] = value }
    }
    let most = levels.iter().map(|(_, lanes)| lanes.len()).max().unwrap_or(1);
    let step = STEP.min(room / most as f64);
    // To the right, to the left, farther to the right.
    let off = |lane: usize| lane.div_ceil(2) as f64 * if lane % 2 == 1 { step } else { -step };
    px.iter().zip(lanes).map(|((x, y), lane)| (x + off(lane), *y)).collect()
}

/// Marks at one place, in a block about it.
fn in_blocks(px: &[(f64, f64)], (room_x, room_y): (f64, f64)) -> Vec<(f64, f64)> {
    let at = |(at, own): (usize, &(f64, f64))| {
        let bundle = px.iter().filter(|it| *it == own).count();
        let rank = px[..at].iter().filter(|it| *it == own).count();
        // Two other marks that nearly coincide leave no room to share out.
        let least = LEAST * (bundle as f64).sqrt().ceil();
        let (room_x, room_y) = (room_x.max(least), room_y.max(least));
        let columns = (bundle as f64 * room_x / room_y).sqrt().round() as usize;
        let columns = columns.clamp(1, bundle.max(1));
        let rows = bundle.div_ceil(columns);
        let step = STEP.min(room_x / columns as f64).min(room_y / rows as f64).max(LEAST);
        let off = |at: usize, count: usize| step * (at as f64 - (count - 1) as f64 / 2.0);
        (own.0 + off(rank % columns, columns), own.1 + off(rank / columns, rows.max(1)))
    };
    px.iter().enumerate().map(at).collect()
}

/// The smallest distance of two different places; all of the axis where there is one.
fn closest(places: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = places.filter(|place| place.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    sorted.windows(2).map(|pair| pair[1] - pair[0]).fold(1.0, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_at_one_place_lie_beside_each_other() {
        let (width, height) = (200.0, 120.0);
        for has_levels in [(true, true), (false, false), (true, false), (false, true)] {
            let alone = apart(&[(0.0, 0.0), (1.0, 0.5)], (width, height), has_levels);
            assert_eq!(alone, [(0.0, 0.0), (width, 0.5 * height)]);
            for count in [2, 3, 12, 200] {
                let mut places = vec![(0.5, 0.5); count];
                places.extend([(0.0, 0.0), (1.0, 1.0)]);
                let found = apart(&places, (width, height), has_levels);
                let mut bundle: Vec<(f64, f64)> = found[..count].to_vec();
                bundle.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
                assert!(bundle.windows(2).all(|pair| pair[0] != pair[1]), "{count}: {bundle:?}");
                let is_near = |(x, y): &(f64, f64)| {
                    (x - 0.5 * width).abs() <= 0.25 * width
                        && (y - 0.5 * height).abs() <= 0.25 * height
                };
                assert!(bundle.iter().all(is_near), "{count}, nearest to their place: {bundle:?}");
            }
        }
    }

    #[test]
    fn a_near_pair_elsewhere_takes_no_room() {
        let near = [(0.9, 0.9), (0.9001, 0.9001)];
        for count in [2, 5, 40] {
            let mut places = vec![(0.5, 0.5); count];
            places.extend(near);
            let found = apart(&places, (200.0, 120.0), (false, false));
            for (at, a) in found[..count].iter().enumerate() {
                let gaps = found[..at].iter().map(|b| (a.0 - b.0).hypot(a.1 - b.1));
                assert!(gaps.fold(f64::INFINITY, f64::min) >= LEAST - 1e-9, "{count}: {found:?}");
                assert!((a.0 - 100.0).hypot(a.1 - 60.0) < 30.0, "{count}: {found:?}");
            }
        }
    }

    #[test]
    fn values_stay_where_they_are() {
        let height = 120.0;
        let places = [(0.0, 0.5), (0.0, 0.501), (0.0, 0.502), (1.0, 0.5), (0.0, 0.9)];
        let found = apart(&places, (200.0, height), (true, false));
        for (at, (_, value)) in places.iter().enumerate() {
            assert_eq!(found[at].1, value * height);
        }
        let across: Vec<f64> = found.iter().map(|it| it.0).collect();
        assert_eq!(across[..3], [0.0, STEP, -STEP]);
        assert_eq!(across[4], 0.0, "far from the others");
    }
}
