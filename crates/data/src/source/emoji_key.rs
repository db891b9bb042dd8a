//! Which emoji belong together, so that near copies never straddle two folds.

/// Code points that change how an emoji is drawn, not what it shows.
const DECORATION: [u32; 4] = [0xfe0f, 0x200d, 0x2640, 0x2642];
/// Person, man, woman, boy, girl: the same scene with another figure.
const PEOPLE: [u32; 5] = [0x1f9d1, 0x1f468, 0x1f469, 0x1f466, 0x1f467];

/// The group of near copies that an emoji belongs to; its hash decides the fold.
pub(super) fn group_key(code_points: &[u32]) -> String {
    let parts: Vec<String> = code_points
        .iter()
        .filter(|point| !DECORATION.contains(point))
        .map(
            |point| {
                if PEOPLE.contains(point) { "person".to_string() } else { format!("{point:x}") }
            },
        )
        .collect();
    parts.join("-")
}

/// Flags are many and alike, skin tones are near copies, E50A is no standard emoji: left out.
pub(super) fn is_left_out(code_points: &[u32]) -> bool {
    let is_flag = matches!(code_points[0], 0x1f1e6..=0x1f1ff | 0x1f3f3 | 0x1f3f4);
    is_flag || code_points.iter().any(|point| matches!(point, 0x1f3fb..=0x1f3ff | 0xe50a))
}

/// Reads a file name such as `1f468-200d-1f52c`.
pub(super) fn parse(name: &str) -> Option<Vec<u32>> {
    name.split('-').map(|part| u32::from_str_radix(part, 16).ok()).collect()
}

/// The name used in ids: code points without the invisible `fe0f`.
pub(super) fn id(code_points: &[u32]) -> String {
    let visible = code_points.iter().filter(|&&point| point != 0xfe0f);
    visible.map(|point| format!("{point:x}")).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_copies_share_a_key() {
        let check =
            |name: &str, expected: &str| assert_eq!(group_key(&parse(name).unwrap()), expected);
        check("1f600", "1f600");
        check("1f468-200d-1f52c", "person-1f52c");
        check("1f9d1-200d-1f52c", "person-1f52c");
        check("26f9-fe0f-200d-2640-fe0f", "26f9");
        check("0023-fe0f-20e3", "23-20e3");
    }

    #[test]
    fn flags_and_skin_tones_are_left_out() {
        for (name, expected) in [
            ("1f600", false),
            ("1f1e9-1f1ea", true),
            ("1f3f4-200d-2620-fe0f", true),
            ("1f44d-1f3fd", true),
            ("1f3fa", false),
        ] {
            assert_eq!(is_left_out(&parse(name).unwrap()), expected, "{name}");
        }
        assert_eq!(parse("1f3f4-e0067_e0062"), None);
    }
}
