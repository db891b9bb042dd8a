//! Scenes of simple shapes, by day (A) and by night (B), drawn from a seed.
//!
//! B shows the same scene under one known change: dark ground instead of light,
//! hues turned by a third of a circle, and a bright outline. Everything is
//! described in units of the image's side, so a scene is the same at any size.

use std::f64::consts::TAU;

use spec::draw::{Draw, Purpose};

use super::{Entry, Picture, Source, revision};
use crate::fold::{Domain, FoldBuckets};
use crate::recipe::{RecipeKind, SyntheticScenes};

pub(crate) struct Synthetic {
    seed: u64,
    entries: Vec<Entry>,
    /// Which scene each entry shows.
    scenes: Vec<u64>,
}

impl Synthetic {
    pub(crate) fn new(scenes: &SyntheticScenes, folds: &FoldBuckets) -> Synthetic {
        let mut synthetic =
            Synthetic { seed: scenes.seed, entries: Vec::new(), scenes: Vec::new() };
        for scene in 0..u64::from(scenes.count) {
            let id = format!("{scene:05}");
            for &(fold, domain) in folds.places(&id) {
                synthetic.entries.push(Entry { fold, domain, id: id.clone() });
                synthetic.scenes.push(scene);
            }
        }
        synthetic
    }
}

impl Source for Synthetic {
    fn rule(&self) -> String {
        format!("synthetic, revision {}, seed {}", revision(RecipeKind::Synthetic), self.seed)
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn picture(&self, index: usize, size: u32) -> Result<Picture, String> {
        let scene = self.scenes[index];
        let content = blake3::hash(format!("scene {scene} of seed {}", self.seed).as_bytes());
        let shapes = shapes(self.seed, scene);
        Ok(Picture { content, rgb: paint(&shapes, self.entries[index].domain, size) })
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Disc,
    Square,
    Triangle,
}

/// Lengths are in units of the image's side.
struct Shape {
    kind: Kind,
    center: [f64; 2],
    radius: f64,
    angle: f64,
    /// In [0, 1), a full circle.
    hue: f64,
}

/// One to three shapes of different hues that do not touch.
fn shapes(seed: u64, scene: u64) -> Vec<Shape> {
    /// Places tried before a scene goes without its next shape.
    const TRIES: usize = 60;
    const GAP: f64 = 0.03;
    let mut draw = Draw::new(seed, Purpose::Synthetic, 0, scene);
    let count = 1 + draw.below(3) as usize;
    // Six hues well apart, each varied a little below.
    let hues = draw.permutation(6);
    let mut shapes: Vec<Shape> = Vec::new();
    for hue in &hues[..count] {
        let kind = [Kind::Disc, Kind::Square, Kind::Triangle][draw.below(3) as usize];
        // A lone shape may be larger than one of three.
        let radius = 0.14 + 0.18 * draw.unit() / count as f64;
        let angle = TAU * draw.unit();
        let hue = (*hue as f64 + 0.4 * (draw.unit() - 0.5)).rem_euclid(6.0) / 6.0;
        let mut place = || GAP + radius + (1.0 - 2.0 * (GAP + radius)) * draw.unit();
        let places: Vec<[f64; 2]> = (0..TRIES).map(|_| [place(), place()]).collect();
        let is_free = |at: &&[f64; 2]| {
            shapes.iter().all(|other| {
                let apart = (at[0] - other.center[0]).hypot(at[1] - other.center[1]);
                apart > radius + other.radius + GAP
            })
        };
        if let Some(&center) = places.iter().find(is_free) {
            shapes.push(Shape { kind, center, radius, angle, hue });
        }
    }
    shapes
}

fn paint(shapes: &[Shape], domain: Domain, size: u32) -> Vec<u8> {
    const OUTLINE: f64 = 0.035;
    let pixel = 1.0 / f64::from(size);
    let mut out = Vec::with_capacity(3 * (size * size) as usize);
    for y in 0..size {
        for x in 0..size {
            let at = [(f64::from(x) + 0.5) * pixel, (f64::from(y) + 0.5) * pixel];
            let mut color = match domain {
                Domain::A => [0.96, 0.94, 0.88],
                Domain::B => [0.07, 0.09, 0.19],
            };
            for shape in shapes {
                let distance = shape.distance(at);
                // Share of the pixel that is inside a border at distance `edge`.
                let coverage = |edge: f64| (0.5 - (distance - edge) / pixel).clamp(0.0, 1.0);
                match domain {
                    Domain::A => color = mix(color, hsv(shape.hue, 0.7, 0.88), coverage(0.0)),
                    Domain::B => {
                        color = mix(color, [0.97, 0.95, 0.82], coverage(0.0));
                        color =
                            mix(color, hsv(shape.hue + 1.0 / 3.0, 0.62, 0.84), coverage(-OUTLINE));
                    }
                }
            }
            out.extend(color.map(|value| (value * 255.0).round() as u8));
        }
    }
    out
}

impl Shape {
    /// Signed distance from the border, negative inside.
    fn distance(&self, at: [f64; 2]) -> f64 {
        let (dx, dy) = (at[0] - self.center[0], at[1] - self.center[1]);
        let sides = match self.kind {
            Kind::Disc => return dx.hypot(dy) - self.radius,
            Kind::Square => 4,
            Kind::Triangle => 3,
        };
        // A regular polygon is the intersection of half-planes: exact inside and along its
        // sides, and close enough at the corners for one pixel of antialiasing.
        let inner = self.radius * (TAU / (2.0 * f64::from(sides))).cos();
        (0..sides)
            .map(|side| {
                let (sin, cos) = (self.angle + TAU * f64::from(side) / f64::from(sides)).sin_cos();
                dx * cos + dy * sin - inner
            })
            .fold(f64::NEG_INFINITY, f64::max)
    }
}

fn mix(below: [f64; 3], above: [f64; 3], coverage: f64) -> [f64; 3] {
    std::array::from_fn(|i| below[i] + (above[i] - below[i]) * coverage)
}

fn hsv(hue: f64, saturation: f64, value: f64) -> [f64; 3] {
    // Distance on the circle from red, green and blue, as a tent of height 1.
    [0.0, 4.0, 2.0].map(|shift| {
        let tent = (((hue * 6.0 + shift) % 6.0 - 3.0).abs() - 1.0).clamp(0.0, 1.0);
        value * (1.0 - saturation * (1.0 - tent))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues() {
        for (hue, expected) in
            [(0.0, [1.0, 0.0, 0.0]), (1.0 / 3.0, [0.0, 1.0, 0.0]), (2.0 / 3.0, [0.0, 0.0, 1.0])]
        {
            let color = hsv(hue, 1.0, 1.0);
            assert!(
                color.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9),
                "{hue}: {color:?}"
            );
        }
    }

    #[test]
    fn a_seed_repeats_its_scenes_and_another_does_not() {
        let source =
            |seed| Synthetic::new(&SyntheticScenes { count: 40, seed }, &FoldBuckets::default());
        let rgb = |seed| source(seed).picture(0, 32).unwrap().rgb;
        assert_eq!(rgb(1), rgb(1));
        assert_ne!(rgb(1), rgb(2));
    }

    #[test]
    fn shapes_lie_inside_and_apart() {
        let mut total = 0;
        for scene in 0..300 {
            let shapes = shapes(7, scene);
            total += shapes.len();
            for (i, one) in shapes.iter().enumerate() {
                assert!(
                    one.center.iter().all(|at| (one.radius..=1.0 - one.radius).contains(at)),
                    "{scene}"
                );
                for other in &shapes[..i] {
                    let apart =
                        (one.center[0] - other.center[0]).hypot(one.center[1] - other.center[1]);
                    assert!(apart > one.radius + other.radius, "{scene}");
                }
            }
        }
        assert!((500..=650).contains(&total), "{total}");
    }

    #[test]
    fn day_and_night_show_the_same_shapes() {
        let shape =
            Shape { kind: Kind::Disc, center: [0.5, 0.5], radius: 0.25, angle: 0.0, hue: 0.0 };
        let at = |domain, x: usize, y: usize| {
            let rgb = paint(std::slice::from_ref(&shape), domain, 80);
            <[u8; 3]>::try_from(&rgb[3 * (y * 80 + x)..][..3]).unwrap()
        };
        let (red, green) = ([224, 67, 67], [81, 214, 81]);
        assert_eq!([at(Domain::A, 0, 0), at(Domain::B, 0, 0)], [[245, 240, 224], [18, 23, 48]]);
        assert_eq!([at(Domain::A, 40, 40), at(Domain::B, 40, 40)], [red, green]);
        // Just inside the border only the night scene has an outline.
        assert_eq!([at(Domain::A, 40, 21), at(Domain::B, 40, 21)], [red, [247, 242, 209]]);
    }
}
