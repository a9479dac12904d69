#!/usr/bin/env python3
"""Times the reference packages for `limbeck-bench metrics --python EXE`: pesq and pystoi from PyPI.

Usage: metrics_reference.py PAIRS.tsv --jobs N --out SCORES.json

PAIRS.tsv has one clean and one estimated file a line. Each pair is one task of a process pool, reading
the files included; starting Python, importing and starting the pool are not part of the time.
Needs: pip install pesq pystoi soundfile
"""

import os

# One thread a process: the pool fills the cores.
for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import argparse
import importlib.metadata
import json
import multiprocessing
import pathlib
import platform
import resource
import time
import warnings

import pesq
import pystoi
import soundfile


def value_or_message(function, *arguments, **options):
    try:
        return float(function(*arguments, **options))
    except Exception as error:  # whatever the packages throw is the answer
        return f"{type(error).__name__}: {error}"


def score(files):
    warnings.simplefilter("ignore")
    clean, rate = soundfile.read(files[0])
    estimate, _ = soundfile.read(files[1])
    return {
        "pesq_wb": value_or_message(pesq.pesq, rate, clean, estimate, "wb"),
        "pesq_nb": value_or_message(pesq.pesq, rate, clean, estimate, "nb"),
        "stoi": value_or_message(pystoi.stoi, clean, estimate, rate),
        "estoi": value_or_message(pystoi.stoi, clean, estimate, rate, extended=True),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    pairs = [line.split("\t") for line in arguments.pairs.read_text().splitlines()]
    # Forked, so that the workers have everything imported when the time starts.
    with multiprocessing.get_context("fork").Pool(arguments.jobs) as pool:
        pool.map(time.sleep, [0.05] * arguments.jobs, chunksize=1)
        start = time.perf_counter()
        scores = pool.map(score, pairs, chunksize=1)
        wall = time.perf_counter() - start
        pool.close()
        pool.join()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    versions = {name: importlib.metadata.version(name) for name in ("pesq", "pystoi", "numpy", "scipy")}
    versions["Python"] = platform.python_version()
    result = {"wall_seconds": wall, "cpu_seconds": usage.ru_utime + usage.ru_stime, "versions": versions, "scores": scores}
    arguments.out.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
