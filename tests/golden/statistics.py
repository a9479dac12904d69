#!/usr/bin/env python3
"""Writes tests/golden/data/statistics.json: made values and what SciPy, statsmodels and NumPy say of them, for
tests/study/statistics_test.cpp. Missing values, and results that are not defined, are null.

    python3 -m pip install numpy scipy statsmodels pandas
    python3 tests/golden/statistics.py

Closed forms are exact; intervals of bootstraps are those of many more resamples than Limbeck draws.
"""
import itertools
import json
from pathlib import Path

import numpy as np
import pandas
import scipy
import statsmodels
import statsmodels.formula.api
from scipy import integrate, optimize, special, stats
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

OUT = Path(__file__).parent / "data" / "statistics.json"
RESAMPLES = 50_000
RNG = np.random.default_rng(18)


def made(*shape, mean=2.8, deviation=0.05):
    return np.round(RNG.normal(mean, deviation, shape), 4)


def listed(values):
    """Lists for JSON."""
    if isinstance(values, (list, tuple, np.ndarray)):
        return [listed(value) for value in values]
    return None if np.isnan(values) else float(values)


def percentiles(samples):
    return np.percentile(samples, [2.5, 97.5])


def detectable(n):
    """In standard deviations of the differences. Power as an integral over the estimated deviation: SciPy's non-central
    t gives NaN far out."""
    freedom = n - 1
    critical = stats.t.ppf(0.975, freedom) / np.sqrt(freedom)

    def power(effect):
        shift = effect * np.sqrt(n)
        found = lambda x: special.ndtr(shift - critical * x) + special.ndtr(-shift - critical * x)
        edges = stats.chi.ppf([0, 0.01, 0.5, 0.99, 1 - 1e-16], freedom)
        return sum(integrate.quad(lambda x: found(x) * stats.chi.pdf(x, freedom), low, high, epsabs=1e-14,
                                  epsrel=1e-13, limit=200)[0] for low, high in zip(edges, edges[1:]))

    effect = optimize.brentq(lambda x: power(x) - 0.8, 0.01, 20, xtol=1e-14, rtol=1e-14)
    by_statsmodels = TTestPower().solve_power(nobs=n, alpha=0.05, power=0.8, alternative="two-sided")
    assert n < 4 or abs(effect - by_statsmodels) < 1e-6 * effect, (n, effect, by_statsmodels)
    return effect


def permutation_p(differences):
    """All ways to sign them."""
    sums = np.zeros(1)
    for value in differences:
        sums = np.concatenate([sums + value, sums - value])
    p = np.mean(np.abs(sums) >= abs(np.sum(differences)) - 1e-10)
    if len(differences) <= 12:
        test = stats.permutation_test(
            (differences,), np.mean, permutation_type="samples", vectorized=True, n_resamples=np.inf)
        assert abs(p - test.pvalue) < 1e-12, (p, test.pvalue)
    return p


def paired(a, b):
    whole = ~(np.isnan(a) | np.isnan(b))
    x, y = a[whole], b[whole]
    n = len(x)
    test = stats.ttest_rel(y, x)
    interval = test.confidence_interval(0.95)
    freedom = n - 1
    j = np.exp(special.gammaln(freedom / 2) - special.gammaln((freedom - 1) / 2)) / np.sqrt(freedom / 2)
    spread = np.sqrt((x.var(ddof=1) + y.var(ddof=1)) / 2)
    draws = [RNG.choice(side, (RESAMPLES, n)) for side in (x, y)]
    above = draws[1][:, :, None] - draws[0][:, None, :]
    better = (0.5 * (np.sign(above) + 1)).mean((1, 2))
    return dict(
        a=a, b=b, mean=np.mean(y - x), deviation=np.std(y - x, ddof=1), interval=(interval.high - interval.low) / 2,
        t=test.statistic, p=test.pvalue, permutation_p=permutation_p(y - x),
        hedges_g=j * np.mean(y - x) / spread if n > 2 else np.nan,
        improvement=stats.mannwhitneyu(y, x).statistic / n**2, improvement_interval=percentiles(better),
        detectable=detectable(n) * np.std(y - x, ddof=1))


def paired_cases():
    gap = made(7), made(7, mean=2.84)
    gap[0][2] = gap[1][5] = np.nan
    ties = np.round(made(10), 1), np.round(made(10, mean=2.84), 1)
    return [paired(*arms) for arms in [
        (made(2), made(2)), (made(3), made(3, mean=2.9)), (made(5), made(5, mean=2.85)),
        (made(5), made(5, mean=2.5)), gap, ties, (made(12), made(12, mean=2.78)), (made(22), made(22, mean=2.825))]]


def improvement_of_tasks():
    """Agarwal et al.: of three tasks, with runs that are not as many."""
    a = [made(5), made(4, mean=3.1), np.round(made(6), 1)]
    b = [made(5, mean=2.83), made(6, mean=3.05), np.round(made(6, mean=2.85), 1)]
    share = lambda x, y: stats.mannwhitneyu(y, x).statistic / (len(x) * len(y))
    resamples = np.zeros(RESAMPLES)
    for x, y in zip(a, b):
        x, y = RNG.choice(x, (len(resamples), len(x))), RNG.choice(y, (len(resamples), len(y)))
        resamples += (0.5 * (np.sign(y[:, :, None] - x[:, None, :]) + 1)).mean((1, 2)) / len(a)
    return dict(a=a, b=b, probability=np.mean([share(x, y) for x, y in zip(a, b)]), interval=percentiles(resamples))


def middle(values):
    samples = RNG.choice(values, (RESAMPLES, len(values)))
    return dict(values=values, mean=stats.trim_mean(values, 0.25),
                interval=percentiles(stats.trim_mean(samples, 0.25, axis=1)))


def components(values):
    """From the mean squares of statsmodels' table of a two-way model."""
    teachers, students = values.shape
    frame = pandas.DataFrame([dict(t=i, s=j, y=values[i, j])
                              for i, j in itertools.product(range(teachers), range(students))])
    table = anova_lm(statsmodels.formula.api.ols("y ~ C(t) + C(s)", frame).fit())
    squares = table["sum_sq"] / table["df"]
    residual = squares["Residual"]
    return dict(values=values, teacher=(squares["C(t)"] - residual) / students,
                student=(squares["C(s)"] - residual) / teachers, residual=residual)


def components_cases():
    effects = made(3, 1, mean=0, deviation=0.1) + made(1, 5, mean=0, deviation=0.05)
    return [components(np.round(effects + made(3, 5, mean=2.8, deviation=0.02), 4)), components(made(2, 3)), components(made(4, 4))]


def hierarchical(seeds, sizes):
    """Speakers of these sizes with levels of their own; what seeds do differs by speaker, too."""
    speakers = np.repeat(np.arange(len(sizes)), sizes)
    values = (made(seeds, 1, mean=0.1, deviation=0.1) + made(len(sizes), mean=0, deviation=0.1)[speakers]
              + made(seeds, len(sizes), mean=0, deviation=0.05)[:, speakers]
              + made(seeds, len(speakers), mean=0, deviation=0.3))
    values = np.round(values, 4)
    resamples = np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        drawn = [RNG.choice(np.flatnonzero(speakers == k), sizes[k]) for k in RNG.integers(len(sizes), size=len(sizes))]
        rows = RNG.integers(seeds, size=seeds)
        resamples[i] = values[np.ix_(rows, np.concatenate(drawn))].mean()
    return dict(values=values, speakers=[f"p{k}" for k in speakers], mean=values.mean(),
                interval=percentiles(resamples))


def main():
    family = [0.01, 0.04, 0.03, 0.005, 0.04, 0.9, 0.5]
    counts = [2, 3, 4, 5, 6, 8, 10, 20, 50]
    data = dict(
        versions=f"NumPy {np.__version__}, SciPy {scipy.__version__}, statsmodels {statsmodels.__version__}",
        paired=paired_cases(), tasks=improvement_of_tasks(),
        holm=dict(p=family, corrected=multipletests(family, method="holm")[1]),
        detectable=dict(n=counts, effect=[detectable(n) for n in counts]),
        middle=[middle(made(n)) for n in (5, 8, 10, 15)], components=components_cases(),
        hierarchical=[hierarchical(4, [12, 8, 10]), hierarchical(5, [20, 20]), hierarchical(1, [6] * 12)])
    lines = []
    for name, value in data.items():
        if isinstance(value, str):
            lines.append(f'"{name}": {json.dumps(value)}')
            continue
        cases = value if isinstance(value, list) else [value]
        texts = [json.dumps({k: v if k in ("speakers", "n") else listed(v) for k, v in case.items()}) for case in cases]
        lines.append(f'"{name}": [\n ' + ",\n ".join(texts) + "]")
    OUT.write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
