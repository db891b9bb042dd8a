"""The values that `stats` is tested against, one a line.

    pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0 && python tests/reference/stats.py

Written with Python 3.11, numpy 2.4.6, scipy 1.17.1, statsmodels 0.15.0.
"""

import itertools

import numpy as np
import pandas as pd
import scipy.integrate as integrate
import scipy.optimize as optimize
import scipy.stats as st
import statsmodels.formula.api as smf
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

# Student (1908), extra hours of sleep: ten patients, two drugs.
ARM = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
BASE = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])


def show(name, *values):
    print(f"{name}: " + " ".join(f"{v:.15g}" if isinstance(v, float) else str(v) for v in values))


def distributions():
    for df, level in [(1, 0.95), (2, 0.95), (9, 0.95), (9, 0.99), (4, 1 - 0.05 / 8), (100_000, 0.95)]:
        show(f"t quantile, df {df}, level {level}", float(st.t.ppf((1 + level) / 2, df)))
    for t, df in [(0.5, 1), (2.0, 3), (-4.0621, 9), (1e-6, 5), (12.0, 30), (2.5, 1000)]:
        show(f"t p, t {t}, df {df}", float(2 * st.t.sf(abs(t), df)), float(st.t.cdf(t, df)))
    for f, a, b in [(0.5, 1, 1), (4.0, 2, 8), (3.2, 5, 45), (0.01, 3, 7), (60.0, 4, 20), (1.1, 300, 200)]:
        show(f"F survival, F {f}, df {a}, {b}", float(st.f.sf(f, a, b)))
    for level in [0.5, 0.95, 0.99]:
        show(f"normal quantile, level {level}", float(st.norm.ppf((1 + level) / 2)))


def proportions():
    for k, n in [(0, 10), (3, 10), (10, 10), (1, 3), (7, 200)]:
        show(f"Wilson {k} of {n}", *map(float, proportion_confint(k, n, 0.05, "wilson")))


def holm():
    p = [0.01, 0.04, 0.03, 0.005, 0.5, 0.03]
    show("Holm", *map(float, multipletests(p, method="holm")[1]))


def sign_flip(d):
    observed = abs(d.sum())
    signs = np.array(list(itertools.product([1, -1], repeat=len(d))))
    return float(np.mean(np.abs(signs @ d) >= observed - 1e-12 * np.abs(d).sum()))


def contrasts():
    d = ARM - BASE
    show("sleep: mean, SD, d_z", float(d.mean()), float(d.std(ddof=1)), float(d.mean() / d.std(ddof=1)))
    paired = st.ttest_rel(ARM, BASE)
    show("sleep: t p and interval", float(paired.pvalue), *map(float, paired.confidence_interval(0.95)))
    show("sleep: sign-flip p", sign_flip(d))
    pairs = [(a > b) + 0.5 * (a == b) for a in ARM for b in BASE]
    show("sleep: probability of improvement", float(np.mean(pairs)))
    show("sign-flip p of six", sign_flip(np.array([0.3, -0.1, 0.4, 0.2, -0.05, 0.6])))
    # The pairs' sums tie: their p rests on counting ties as reached.
    show("sign-flip p with ties", sign_flip(np.array([0.1, 0.2, 0.3, -0.1, 0.2])))
    rng = np.random.default_rng(0)
    drawn = d[rng.integers(0, len(d), (2_000_000, len(d)))]
    spread = drawn.std(1, ddof=1)
    kept = drawn.max(1) > drawn.min(1)
    t = (drawn[kept].mean(1) - d.mean()) / (spread[kept] / np.sqrt(len(d)))
    low, high = np.quantile(t, [0.975, 0.025])
    scale = d.std(ddof=1) / np.sqrt(len(d))
    show("sleep: bootstrap-t, 2 000 000 resamples", float(d.mean() - low * scale), float(d.mean() - high * scale))


def paired_t_power(d_z, n, alpha):
    """By integration over the SD: scipy's nct returns NaN in far tails."""
    limit, df = st.t.ppf(1 - alpha / 2, n - 1), n - 1

    def rejected(s):
        shift = d_z * np.sqrt(n)
        return st.norm.sf(limit * s - shift) + st.norm.cdf(-limit * s - shift)

    def density(s):
        return 2 * df * s * st.chi2.pdf(df * s * s, df)

    edge = d_z * np.sqrt(n) / limit
    ends = sorted({0, max(0, edge - 6 / limit), edge, edge + 6 / limit, 12})
    return sum(
        integrate.quad(lambda s: rejected(s) * density(s), a, b, epsabs=1e-13, limit=200)[0]
        for a, b in zip(ends, ends[1:])
    )


def power():
    show("power, d_z 1, n 10: integral and nct", paired_t_power(1.0, 10, 0.05),
         float(st.nct.sf(st.t.ppf(0.975, 9), 9, 10**0.5) + st.nct.cdf(-st.t.ppf(0.975, 9), 9, 10**0.5)))
    for n in (2, 3, 5, 6, 8, 10, 16, 40):
        found = [
            optimize.brentq(lambda d: paired_t_power(d, n, a) - 0.8, 1e-3, 400, xtol=1e-10)
            for a in (0.05, 0.05 / 8)
        ]
        show(f"detectable d_z, n {n}", *map(float, found))


def interquartile():
    pool = np.array([0.1, 0.9, 0.35, 0.4, -2.0, 0.55, 0.6, 0.2, 0.75, 5.0])
    show("IQM of ten, of the first nine, of the first eight",
         *(float(st.trim_mean(pool[:n], 0.25)) for n in (10, 9, 8)))
    show("quantiles .025 .25 .5 .9", *map(float, np.quantile(pool, [0.025, 0.25, 0.5, 0.9])))


def score(*at):
    """A response without a closed form that the test repeats: integers, mixed."""
    value = 7
    for i in at:
        value = (value * 31 + i * 17 + 5) % 101
    return value / 10


def grid(levels, seeds):
    rows = []
    for cell in itertools.product(*(range(n) for n in levels)):
        for seed in range(1, seeds + 1):
            y = score(*cell, seed) + 2 * cell[0] + 0.7 * seed + 1.5 * cell[0] * cell[1]
            rows.append((*cell, seed, y))
    names = ["a", "b", "c"][: len(levels)]
    return names, pd.DataFrame(rows, columns=[*names, "seed", "y"])


def anova():
    for levels, seeds in [((2, 3), 4), ((2, 2, 3), 3)]:
        names, data = grid(levels, seeds)
        formula = f"y ~ C(seed) + {'*'.join(f'C({name}, Sum)' for name in names)}"
        table = anova_lm(smf.ols(formula, data).fit(), typ=2)
        for row in table.itertuples():
            name = f"ANOVA {levels} x {seeds}, {row.Index}: SS, df, F, p"
            show(name, float(row.sum_sq), int(row.df), float(row.F), float(row[4]))


distributions()
proportions()
holm()
contrasts()
power()
interquartile()
anova()
