#!/usr/bin/env python3
"""Trainings that are killed at random moments and begun again end as if nothing had happened.

Each training is run in one sitting, then again with SIGKILL after a random time of every sitting until it ends by
itself; weights, optimizer, state, metrics and pointers must be equal. That is repeated until there were enough kills.

Usage: kill.py BIN_DIR SOURCE_DIR [--kills 100] [--seed 1]
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

# What a training may be, as lines of --set; each takes part.
TRAININGS = {
    "AdamW, cosine, saves between validations": ["train.save_every=7"],
    "SGD, plateau, accumulation": ["train.optimizer={type: sgd, lr: 0.01}", "train.accumulate=3",
                                   "train.schedule={type: plateau, patience: 1}", "train.save_every=5"],
    "Adam, one cycle, average of weights, epochs": [
        "train.optimizer={type: adam}", "train.schedule={type: one_cycle, warmup_steps: 0}", "train.ema.decay=0.9",
        "train.steps=0", "train.epochs=20", "train.keep={last: 2, best: 2, every: 20}", "train.save_every=9"],
    "exponential, PESQ in the background, early stop": [
        "train.schedule={type: exponential}", "train.validation={metrics: [pesq_wb, si_sdr], background: true}",
        "train.select=pesq_wb", "train.early_stop.patience=2", "train.validate_every=10"],
}
TIMES = {"seconds", "timing"}  # keys of what no two sittings share


def without_times(value):
    return {key: inner for key, inner in value.items() if key not in TIMES} if isinstance(value, dict) else value


def contents(run):
    """What must be equal, by name."""
    found = {}
    for file in sorted(run.glob("checkpoints/*/*")):
        name = str(file.relative_to(run))
        if file.suffix == ".safetensors":
            found[name] = file.read_bytes()
        elif file.name != "manifest.json":  # sizes and hashes of the others, of which one holds times
            found[name] = without_times(json.loads(file.read_text()))
    for file in ("best.json", "last.json"):
        found[file] = (run / file).read_text()
    # The line of a validation in the background stands where its scores were taken.
    lines = [without_times(json.loads(line)) for line in (run / "metrics.jsonl").read_text().splitlines()]
    lines.sort(key=lambda line: (line["step"], line["split"]))
    for number, line in enumerate(lines, 1):
        found[f"metrics.jsonl:{number}"] = line
    return found


def compare(name, once, cut):
    differing = [key for key in sorted(once.keys() | cut.keys()) if once.get(key) != cut.get(key)]
    if not differing:
        return
    for key in differing[:10]:
        print(f"{key}:\n  in one sitting: {str(once.get(key))[:300]}\n  killed: {str(cut.get(key))[:300]}")
    sys.exit(f"FAILED: {name}: {len(differing)} of {len(once)} contents differ")


class Trainings:
    def __init__(self, bin_dir, source, work):
        self.bin, self.source, self.work = bin_dir, source, work
        prepare = bin_dir / "limbeck-prepare"
        corpus = work / "corpus"
        self.run([prepare, "synthetic", "--out", corpus, "--minutes", "1", "--speakers", "8", "--quiet"])
        for kind in ("clean", "noise"):
            self.run([prepare, "recordings", corpus / kind, "--out", work / f"{kind}.csv", "--splits",
                      corpus / "manifest.csv", "--quiet"])

    def run(self, command):
        done = subprocess.run(command, cwd=self.source, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"FAILED with exit code {done.returncode}: {command}\n{done.stdout}{done.stderr}")

    def command(self, name, folder):
        settings = [f"data.source.speech={self.work}/clean.csv", f"data.source.noise={self.work}/noise.csv",
                    "data.segment_seconds=0.5", "data.valid_count=2", "data.valid_segment_seconds=1",
                    "train.batch_size=2", "train.steps=60", "train.validate_every=20", "train.log_every=3",
                    "run.device=cpu",
                    f"run.dir={folder}", *TRAININGS[name]]
        command = [self.bin / "limbeck-distill", "configs/pretrain/demo_student.yaml", "--threads", "1", "--quiet"]
        for setting in settings:
            command += ["--set", setting]
        return command

    def killed(self, name, folder, longest, draws):
        """Trains until a sitting ends by itself; returns how many were killed."""
        kills = 0
        while True:
            process = subprocess.Popen(self.command(name, folder), cwd=self.source, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True)
            try:
                output, _ = process.communicate(timeout=draws.uniform(0, longest))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
                continue
            if process.returncode != 0:
                sys.exit(f"FAILED: {name}: exit code {process.returncode} after {kills} kills:\n{output}")
            return kills


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draws = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        trainings = Trainings(options.bin.resolve(), options.source.resolve(), work)
        once, longest = {}, {}
        for number, name in enumerate(TRAININGS):
            folder = work / f"once-{number}"
            start = time.monotonic()
            trainings.run(trainings.command(name, folder))
            longest[name] = time.monotonic() - start
            once[name] = contents(folder)
        kills, runs = 0, 0
        while kills < options.kills or runs < len(TRAININGS):
            name = list(TRAININGS)[runs % len(TRAININGS)]
            cut = work / f"cut-{runs}"
            kills += trainings.killed(name, cut, longest[name], draws)
            compare(f"{name}, run {runs}", once[name], contents(cut))
            runs += 1
    print(f"{runs} runs of {len(TRAININGS)} trainings, killed {kills} times, are equal to those of one sitting")


if __name__ == "__main__":
    main()
