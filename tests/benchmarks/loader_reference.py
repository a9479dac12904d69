#!/usr/bin/env python3
"""What `limbeck-bench data` is held against: a straightforward PyTorch Dataset and DataLoader over the same pairs.

    python3 -m pip install torch soundfile
    python3 tests/benchmarks/loader_reference.py PAIRS.csv [--seconds 2] [--batch-size 8] [--workers 0,1,2,4]
    limbeck-bench data CONFIG --set "data.source={type: pairs, manifest: PAIRS.csv}" --set data.cache_mb=0 ...     # the same session, the same disk

PAIRS.csv is a manifest of pairs; entries of split train are used, each with a random crop of both sides (soundfile
seeks; the files are not decoded whole), zeros behind those that are shorter. With workers, DataLoader uses processes.
Prints one JSON object: batches and seconds of audio per second, for each number of workers.
"""
import argparse
import csv
import json
import pathlib
import random
import time

import numpy as np
import soundfile
import torch


class Pairs(torch.utils.data.Dataset):
    def __init__(self, manifest, seconds):
        folder = pathlib.Path(manifest).parent
        with open(manifest, newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
        self.items = [(folder / row["clean"], folder / row["noisy"], int(row["samples"])) for row in rows]
        self.rate = int(rows[0]["rate"])
        self.samples = round(seconds * self.rate)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        clean, noisy, samples = self.items[index]
        start = random.randint(0, max(0, samples - self.samples))
        return self.crop(noisy, start), self.crop(clean, start)

    def crop(self, path, start):
        x, _ = soundfile.read(path, start=start, frames=self.samples, dtype="float32")
        return torch.from_numpy(np.pad(x, (0, self.samples - len(x))))


def endless(loader):
    while True:
        yield from loader


def measure(dataset, batch_size, workers, seconds):
    """Batches per second, once the workers run."""
    torch.set_num_threads(1)
    loader = torch.utils.data.DataLoader(dataset, batch_size, shuffle=True, num_workers=workers, drop_last=True,
                                         persistent_workers=workers > 0)
    batches = endless(loader)
    next(batches)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        next(batches)
        count += 1
    return count / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest")
    parser.add_argument("--seconds", type=float, default=2, help="length of a crop")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--workers", default="0,1,2,4")
    parser.add_argument("--measure", type=float, default=3, help="seconds to measure")
    arguments = parser.parse_args()
    dataset = Pairs(arguments.manifest, arguments.seconds)
    rows = []
    for workers in map(int, arguments.workers.split(",")):
        rate = measure(dataset, arguments.batch_size, workers, arguments.measure)
        rows.append({"workers": workers, "batches_per_second": round(rate, 1),
                     "audio_seconds_per_second": round(rate * arguments.batch_size * arguments.seconds)})
    print(json.dumps({"torch": torch.__version__, "soundfile": soundfile.__version__,
                      "batch_size": arguments.batch_size, "segment_seconds": arguments.seconds, "workers": rows}))


if __name__ == "__main__":
    main()
