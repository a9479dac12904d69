#!/usr/bin/env python3
"""Writes tests/golden/data/p56.csv: active speech levels by method B of ITU-T P.56, step by step as the Recommendation
describes it (a counter and a hangover for each threshold, interpolation between two thresholds), in NumPy, of signals
without their mean.

    python3 -m pip install numpy soundfile
    python3 tests/golden/p56.py [FOLDER_OF_REAL_RECORDINGS]

Columns: signal, level_dbfs (thresholds that are powers of 2, as in the Recommendation), level_fine_dbfs (96 thresholds
to a factor of 2, so that interpolation hardly matters), activity (percent, by the latter). `signal` is one of those
made below, which the test makes again from the same formulas, or a file of the real recordings.
"""
import csv
import sys
from pathlib import Path

import numpy as np

RATE = 16000
OUT = Path(__file__).parent / "data" / "p56.csv"
REAL = ["clean/*/*.flac", "vbd_test/clean/*.flac", "vbd_test/noisy/*.flac"]
MARGIN_DB, TIME_CONSTANT, HANGOVER = 15.9, 0.03, 0.2


def active_level(x, rate, thresholds_per_octave):
    """(level in dB re full scale, activity factor)."""
    x = np.asarray(x, np.float64)
    x = x - np.mean(x)
    g = np.exp(-1 / (rate * TIME_CONSTANT))
    hangover = int(np.ceil(HANGOVER * rate))
    thresholds = 2.0 ** (np.arange(-15 * thresholds_per_octave, 1) / thresholds_per_octave)
    counts = np.zeros(len(thresholds), np.int64)
    hang = np.full(len(thresholds), hangover)
    p = q = 0.0
    for value in np.abs(x):
        p = g * p + (1 - g) * value
        q = g * q + (1 - g) * p
        above = q >= thresholds
        counts += above | (hang < hangover)
        hang = np.where(above, 0, np.minimum(hang + 1, hangover))
    energy = np.sum(x * x)
    level, margin = None, None
    for c, count in zip(thresholds, counts):
        if count == 0:
            break
        a_db, c_db = 10 * np.log10(energy / count), 20 * np.log10(c)
        if a_db - c_db <= MARGIN_DB:
            if level is None:
                return a_db, count / len(x)
            share = (margin - MARGIN_DB) / (margin - (a_db - c_db))
            found = level + share * (a_db - level)
            return found, energy / 10 ** (found / 10) / len(x)
        level, margin = a_db, a_db - c_db
    raise ValueError("no threshold lies within the margin")


def hiss(count, seed):
    """Uniform in [-1, 1) from a 32-bit linear congruential generator (Numerical Recipes' constants)."""
    out = np.empty(count)
    state = seed
    for i in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        out[i] = state / 2**31 - 1
    return out


def tone(count, hz):
    return np.sin(2 * np.pi * hz * np.arange(count) / RATE)


def made():
    """The signals that the test makes as well."""
    n = np.arange(64000)
    words = 0.2 * tone(64000, 300) * (n // 5120 % 2 == 0)
    yield "steady", 0.2 * tone(32000, 300)
    yield "words", words
    yield "words in silence", np.concatenate([np.zeros(48000), words, np.zeros(80000)])
    yield "words with an offset", words + 0.1
    yield "words over hiss", words + 0.004 * hiss(64000, 7)
    yield "syllables", 0.3 * tone(64000, 180) * tone(64000, 2.5) ** 8
    yield "quiet hiss", 0.003 * hiss(32000, 11)
    yield "fading", 0.4 * hiss(64000, 13) * 10 ** (-n / 32000)
    yield "one word", np.concatenate([np.zeros(20000), 0.1 * tone(6000, 250), np.zeros(38000)])


def real(folder):
    import soundfile

    for pattern in REAL:
        for path in sorted(Path(folder).glob(pattern))[:3]:
            samples, rate = soundfile.read(path)
            assert rate == RATE
            yield path.relative_to(folder).as_posix(), samples


def main():
    rows = []
    for name, x in [*made(), *(real(sys.argv[1]) if len(sys.argv) > 1 else [])]:
        x = np.asarray(x, np.float32)
        coarse, _ = active_level(x, RATE, 1)
        fine, activity = active_level(x, RATE, 96)
        rows.append([name, f"{coarse:.4f}", f"{fine:.4f}", f"{100 * activity:.2f}"])
        print(*rows[-1])
    with OUT.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["signal", "level_dbfs", "level_fine_dbfs", "activity"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
