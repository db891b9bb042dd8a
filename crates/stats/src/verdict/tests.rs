use super::*;
use crate::differences::Outcome;

fn arm(differences: &[f64]) -> PairedDifferences {
    arm_with(differences.iter().map(|d| Outcome::Value(1.0 + d)), None)
}

fn arm_with(
    outcomes: impl IntoIterator<Item = Outcome>,
    failed_as: Option<f64>,
) -> PairedDifferences {
    let arm: Vec<(u64, Outcome)> = (1..).zip(outcomes).collect();
    let baseline: Vec<(u64, Outcome)> =
        arm.iter().map(|(seed, _)| (*seed, Outcome::Value(1.0))).collect();
    PairedDifferences::new(&arm, &baseline, failed_as).expect("finite values")
}

fn judged(arms: &[PairedDifferences], goal: Option<Goal>) -> Judgement {
    judge(arms, goal, Level::NINETY_FIVE, Resampling::default())[0]
}

const CLEAR: [f64; 8] = [0.5, 0.4, 0.6, 0.45, 0.55, 0.5, 0.4, 0.6];
const NOISE: [f64; 8] = [0.5, -0.4, 0.6, -0.45, 0.55, -0.5, -0.4, 0.6];

#[test]
fn the_sign_and_the_goal_make_the_verdict() {
    let check = |differences: &[f64], goal, expected| {
        let found = judged(&[arm(differences)], goal);
        assert_eq!(found.verdict, expected, "{differences:?} {goal:?}");
    };
    let mirrored = CLEAR.map(|d| -d);
    check(&CLEAR, Some(Goal::Maximise), Verdict::Better);
    check(&CLEAR, Some(Goal::Minimise), Verdict::Worse);
    check(&mirrored, Some(Goal::Minimise), Verdict::Better);
    check(&CLEAR, None, Verdict::Different);
    check(&NOISE, Some(Goal::Maximise), Verdict::Undecided { why: Why::NotSignificant });
}

#[test]
fn what_did_nothing_is_said_and_not_tested() {
    for n in [1, 7, 12] {
        let found = judged(&[arm(&vec![0.0; n])], Some(Goal::Maximise));
        assert_eq!(found.verdict, Verdict::Identical);
        assert!(found.sentence().starts_with("Identical over "), "{}", found.sentence());
    }
    let mut nearly = vec![0.0; 7];
    nearly[3] = 1e-9;
    assert_ne!(judged(&[arm(&nearly)], Some(Goal::Maximise)).verdict, Verdict::Identical);
    assert_eq!(judged(&[arm(&[])], None).verdict, Verdict::NoPairs);
    let with_a_failure = std::iter::repeat_n(Outcome::Value(1.0), 7).chain([Outcome::Failed]);
    let found = judged(&[arm_with(with_a_failure, Some(1.0))], Some(Goal::Maximise));
    assert_ne!(found.verdict, Verdict::Identical);
}

#[test]
fn a_win_by_misleading_runs_is_taken_back() {
    let (better, worse) = (arm(&CLEAR), arm(&CLEAR.map(|d| -d)));
    let check = |arm: &PairedDifferences, marks, expected| {
        let found = judged(std::slice::from_ref(arm), Some(Goal::Maximise));
        assert_eq!(found.doubting(marks).verdict, expected, "{marks:?}");
    };
    let doubt = |side, marks| Verdict::Undecided { why: Why::Misleading { side, marks } };
    check(&better, [0.0, 0.0], Verdict::Better);
    check(&better, [0.0, 2.0], Verdict::Better);
    check(&better, [2.4, 2.0], Verdict::Better);
    check(&better, [2.5, 2.0], doubt(Side::Arm, [2.5, 2.0]));
    check(&worse, [4.0, 2.0], Verdict::Worse);
    check(&worse, [0.0, 0.5], doubt(Side::Baseline, [0.0, 0.5]));
}

#[test]
fn no_claim_from_fewer_than_six_seeds_however_clear() {
    for n in 1..=8 {
        let found = judged(&[arm(&CLEAR[..n])], Some(Goal::Maximise)).verdict;
        let expected = match n < MIN_SEEDS {
            true => Verdict::TooFewSeeds { n, needed: Some(6) },
            false => Verdict::Better,
        };
        assert_eq!(found, expected);
    }
}

#[test]
fn more_arms_ask_for_more() {
    // Seven planned arms need nine seeds; eight have smallest p 1 / 128.
    let mut arms = vec![arm(&CLEAR)];
    arms.extend(vec![arm(&[]); 5]);
    assert_eq!(judged(&arms, Some(Goal::Maximise)).verdict, Verdict::Better);
    arms.push(arm(&[]));
    let found = judged(&arms, Some(Goal::Maximise)).verdict;
    assert_eq!(found, Verdict::TooFewSeeds { n: 8, needed: Some(9) });

    // One sign against: p = 4 / 256 = .016 alone, .063 among four.
    let one_against = [0.5, 0.4, 0.6, 0.45, 0.55, 0.5, 0.4, -0.05];
    let alone = [arm(&one_against)];
    assert_eq!(judged(&alone, Some(Goal::Maximise)).verdict, Verdict::Better);
    let four = [arm(&one_against), arm(&NOISE), arm(&NOISE), arm(&NOISE)];
    let found = judged(&four, Some(Goal::Maximise));
    assert_eq!(found.verdict, Verdict::Undecided { why: Why::OnlyBeforeHolm });
    assert_eq!(found.adjusted_p, Some(0.0625));
}

#[test]
fn test_and_interval_must_agree() {
    // All signs agree, and one seed is so far off that the interval holds 0.
    let outlier = [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 9.0];
    let found = judged(&[arm(&outlier)], Some(Goal::Maximise));
    assert_eq!(found.verdict, Verdict::Undecided { why: Why::IntervalHoldsZero });
}

#[test]
fn failed_runs_count_or_silence() {
    let one_failed = || {
        CLEAR.iter().enumerate().map(|(at, d)| match at {
            3 => Outcome::Failed,
            _ => Outcome::Value(1.0 + d),
        })
    };
    let check = |arm, expected| assert_eq!(judged(&[arm], Some(Goal::Maximise)).verdict, expected);
    // Counted as far below the baseline, one failure outweighs seven successes.
    check(arm_with(one_failed(), Some(-9.0)), Verdict::Undecided { why: Why::NotSignificant });
    let why = Why::FailuresWithoutValue { seeds: 1 };
    check(arm_with(one_failed(), None), Verdict::Undecided { why });
    let all_failed = || vec![Outcome::Failed; 8];
    check(arm_with(all_failed(), None), Verdict::AllFailed { side: Side::Arm });
    check(arm_with(all_failed(), Some(0.0)), Verdict::AllFailed { side: Side::Arm });
    check(arm(&[]), Verdict::NoPairs);
}

#[test]
fn sentences_state_the_estimate_and_what_it_rests_on() {
    let check = |arms: &[PairedDifferences], expected: &str| {
        let found = judged(arms, Some(Goal::Maximise)).sentence();
        assert_eq!(found, expected);
    };
    check(
        &[arm(&CLEAR), arm(&NOISE)],
        "Better: +0.500 [0.433, 0.567] (mean paired difference, 95 % t interval, 8 seeds); p = .016 by the exact sign-flip \
         test, after Holm over 2 comparisons.",
    );
    check(
        &[arm(&NOISE)],
        "Undecided: +0.063 [−0.386, 0.511] (mean paired difference, 95 % t interval, 8 seeds); p = .742 by the exact \
         sign-flip test; neither an effect nor its absence is shown.",
    );
    check(
        &[arm(&CLEAR[..3])],
        "Too few seeds to tell: +0.500 [0.252, 0.748] (mean paired difference, 95 % t interval, 3 seeds); a claim needs 6 \
         seeds, here are 3.",
    );
    check(&[arm(&[])], "Nothing to compare: no seed was run on both sides.");
    check(
        &[arm_with([Outcome::Failed; 3], None)],
        "All runs failed: 3 of 3, of the baseline 0 of 3.",
    );
    let partly = [Outcome::Value(1.5), Outcome::Failed, Outcome::Value(1.4)];
    check(
        &[arm_with(partly, None)],
        "Undecided: +0.45 [−0.19, 1.09] (mean paired difference, 95 % t interval, 2 seeds); 1 seed is out because a \
         failed run has no value in this metric; failed runs: 1 of 3, of the baseline 0 of 3.",
    );
}
