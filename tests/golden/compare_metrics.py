#!/usr/bin/env python3
"""Compares the metrics with the packages pesq and pystoi on random pairs; a development script.

Usage: compare_metrics.py [--scorer build/release/bin/score_pairs] [--made 500] [--recorded 500 --severe 500
       --recordings DIR]

Prints for each metric the largest difference and quantiles over the pairs that both sides score, the worst pairs,
and for the others what each side says. `--show INDEX` writes one pair to two files instead.
Needs: pip install pesq pystoi numpy scipy soundfile; cmake --build --preset release --target score_pairs
"""

import argparse
import collections
import functools
import json
import multiprocessing
import os
import pathlib
import re
import subprocess
import tempfile
import warnings

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np
import pesq
import pystoi
import soundfile

import made_pairs

METRICS = ("pesq_wb", "pesq_nb", "stoi", "estoi", "si_sdr")
GROUPS = ("made", "recorded", "severe")
LIMITS = {"pesq_wb": 0.005, "pesq_nb": 0.005, "stoi": 1e-4, "estoi": 1e-4, "si_sdr": 1e-3}


def value_or_message(function, *arguments, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = float(function(*arguments, **options))
        except Exception as error:  # whatever the packages throw is the answer
            text = str(error.args[0]) if error.args else ""
            return f"{type(error).__name__}: {text}"
    texts = sorted({str(w.message).split("\n")[0] for w in caught if w.category is RuntimeWarning})
    if texts and "Not enough STFT frames" in texts[0]:
        return f"warning: {texts[0]} (value {value:g})"
    return value if np.isfinite(value) else str(value)


def si_sdr(clean, estimate):
    """Le Roux et al., arXiv 1811.02508, equation 3."""
    clean, estimate = clean.astype(np.float64), estimate.astype(np.float64)
    target = clean * (clean @ estimate) / (clean @ clean)
    return 10 * np.log10(target @ target / np.sum((estimate - target) ** 2))


def reference_scores(rate, clean, estimate):
    # At 8 kHz the package prints its usage and throws ValueError.
    wideband = value_or_message(pesq.pesq, rate, clean, estimate, "wb") if rate == 16000 else "ValueError: 8 kHz"
    return {
        "pesq_wb": wideband,
        "pesq_nb": value_or_message(pesq.pesq, rate, clean, estimate, "nb"),
        "stoi": value_or_message(pystoi.stoi, clean, estimate, rate),
        "estoi": value_or_message(pystoi.stoi, clean, estimate, rate, extended=True),
        "si_sdr": value_or_message(si_sdr, clean, estimate),
    }


def estoi_spread(ours, theirs, rate, clean, estimate):
    """Mean and deviation of 20 calls where the two differ: pystoi's ESTOI adds random noise."""
    if not all(isinstance(s["estoi"], float) for s in (ours, theirs)):
        return None
    if abs(ours["estoi"] - theirs["estoi"]) <= LIMITS["estoi"]:
        return None
    calls = [pystoi.stoi(clean, estimate, rate, extended=True) for _ in range(20)]
    return float(np.mean(calls)), float(np.std(calls, ddof=1))


def make_pair(job, options):
    group, index = job
    if group == "made":
        return made_pairs.made_pair(options.seed, index)
    return made_pairs.recorded_pair(options.seed, index, options.recordings, severe=group == "severe")


def score_jobs(jobs, options):
    """Both sides' scores of some pairs."""
    scored = []
    with tempfile.TemporaryDirectory() as folder:
        scorer = subprocess.Popen([options.scorer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for job in jobs:
            kind, rate, clean, estimate = make_pair(job, options)
            names = [f"{folder}/{name}.f32" for name in ("clean", "estimate")]
            for name, signal in zip(names, (clean, estimate)):
                signal.astype("<f4").tofile(name)
            scorer.stdin.write("\t".join([str(rate), *names]) + "\n")
            scorer.stdin.flush()
            ours = json.loads(scorer.stdout.readline())
            theirs = reference_scores(rate, clean, estimate)
            scored.append({"job": job, "kind": kind, "rate": rate, "seconds": clean.size / rate, "ours": ours,
                           "theirs": theirs, "estoi_spread": estoi_spread(ours, theirs, rate, clean, estimate)})  # fmt: skip
        scorer.stdin.close()
        scorer.wait()
    return scored


def differences(scored, metric):
    both = [p for p in scored if all(isinstance(p[side][metric], float) for side in ("ours", "theirs"))]
    return sorted(((abs(p["ours"][metric] - p["theirs"][metric]), p) for p in both), key=lambda x: -x[0])


def print_differences(name, scored):
    print(f"\n## {name}: {len(scored)} pairs\n")
    print("| metric | scored by both | max | 99.9 % | 99 % | 95 % | median | over the limit |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for metric in METRICS:
        d = [x for x, _ in differences(scored, metric)]
        if not d:
            continue
        q = " | ".join(f"{np.quantile(d, p):.2g}" for p in (1, 0.999, 0.99, 0.95, 0.5))
        print(f"| {metric} | {len(d)} | {q} | {sum(x > LIMITS[metric] for x in d)} of {LIMITS[metric]:g} |")
    for metric in METRICS:
        for d, p in differences(scored, metric):
            if d <= LIMITS[metric]:
                continue
            spread = ""
            if metric == "estoi":
                mean, deviation = p["estoi_spread"]
                spread = f"; 20 calls of the reference: {mean:.5f} ± {deviation:.5f}"
            print(f"{metric}: {d:.5f} = {p['ours'][metric]:.5f} - {p['theirs'][metric]:.5f}  {p['job'][0]} {p['job'][1]}: "
                  f"{p['kind']}, {p['rate']} Hz, {p['seconds']:.2f} s{spread}")  # fmt: skip


def print_failures(scored):
    def text(value):
        return "a score" if isinstance(value, float) else re.sub(r"\d+(\.\d+)?", "N", value)

    cases = collections.defaultdict(collections.Counter)
    for p in scored:
        for metric in METRICS:
            sides = [p[side][metric] for side in ("theirs", "ours")]
            if not all(isinstance(value, float) for value in sides):
                cases[metric, text(sides[0]), text(sides[1])][p["kind"].split()[0]] += 1
    print("\n## Pairs that one or both sides do not score\n\n| metric | reference | ours | kinds |\n|---|---|---|---|")
    for (metric, theirs, ours), kinds in sorted(cases.items()):
        print(f"| {metric} | {theirs} | {ours} | {', '.join(f'{k} {n}' for k, n in sorted(kinds.items()))} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scorer", default="build/release/bin/score_pairs")
    parser.add_argument("--made", type=int, default=500, help="pairs of synthetic signals")
    parser.add_argument("--recorded", type=int, default=0, help="pairs of recordings like those of recipe.csv")
    parser.add_argument("--severe", type=int, default=0, help="the same with delays up to 0.5 s and up to five jumps")
    parser.add_argument("--recordings", default=os.environ.get("LIMBECK_SHARED_DATA"), help="folder with clean/, noise/")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=pathlib.Path, help="JSON file for all scores")
    parser.add_argument("--show", nargs=2, metavar=("GROUP", "INDEX"), help="write one pair to clean.wav, estimate.wav")
    options = parser.parse_args()
    if options.show:
        kind, rate, clean, estimate = make_pair((options.show[0], int(options.show[1])), options)
        soundfile.write("clean.wav", clean, rate, subtype="FLOAT")
        soundfile.write("estimate.wav", estimate, rate, subtype="FLOAT")
        print(f"{kind}, {rate} Hz")
        return
    jobs = [(group, i) for group in GROUPS for i in range(getattr(options, group))]
    chunks = [jobs[i : i + 20] for i in range(0, len(jobs), 20)]
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        scored = [p for part in pool.imap(functools.partial(score_jobs, options=options), chunks) for p in part]
    if options.out:
        options.out.write_text(json.dumps(scored))
    for group in GROUPS:
        part = [p for p in scored if p["job"][0] == group]
        if part:
            print_differences(group, part)
    print_failures(scored)


if __name__ == "__main__":
    main()
