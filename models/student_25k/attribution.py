#!/usr/bin/env python3
"""Whose recordings a model was trained and validated on, as Markdown, from the manifests of the folders.

Usage: attribution.py FOLDER...     each with manifest.csv (columns group, split, label, repo, licence, seconds)
"""

import collections
import csv
import pathlib
import sys

KINDS = {"speech": "Speech", "noise": "Noise", "vbd_train": "Pairs (validation)"}


def used(row):
    return row["group"] == "vbd_train" or row["group"] in KINDS and row["split"] in ("train", "valid")


def main():
    found = collections.defaultdict(lambda: [0, 0.0])
    for folder in sys.argv[1:]:
        with open(pathlib.Path(folder) / "manifest.csv", encoding="utf-8", newline="") as manifest:
            for row in filter(used, csv.DictReader(manifest)):
                entry = found[row["group"], row["licence"], row["repo"]]
                entry[0] += 1
                entry[1] += float(row["seconds"])
    print("# Whose recordings this model was trained and validated on\n")
    print("All were changed for training: channels averaged, resampled to 16 kHz, mixed.")
    for group, title in KINDS.items():
        print(f"\n## {title}\n\n| licence and author | copy from (GitHub) | files | seconds |\n| --- | --- | --: | --: |")
        for (kind, licence, repository), (files, seconds) in sorted(found.items()):
            if kind == group:
                print(f"| {licence.replace('|', '/')} | {repository} | {files} | {seconds:.0f} |")


if __name__ == "__main__":
    main()
