#!/usr/bin/env bash
# Trains the student of this folder again: its teacher, then the student from it (about 90 minutes of one core), and scores it.
# With the same data, LibTorch and instruction set the bits are the same. Interrupted, it goes on where it was.
#
#   models/student_25k/train.sh DATA MORE [--out DIR]
#
# Both folders hold clean/, noise/, vbd_train/{clean,noisy}, vbd_test/{clean,noisy} and manifest.csv with columns file,split; where
# it has columns label, repo and licence, too, ATTRIBUTION.md is written from them. DIR (default: runs/student_25k) gets lists, runs
# and scores, and DIR/release what belongs into a folder of models/.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=$root/build/release/bin
out=runs/student_25k
folders=()
while (($#)); do
  case $1 in
    --out) out=${2:?--out needs a folder}; shift 2 ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) echo "unknown option: $1" >&2; exit 2 ;;
    *) folders+=("$(realpath "$1")"); shift ;;
  esac
done
((${#folders[@]} == 2)) || { echo "two folders are needed; see --help" >&2; exit 2; }
[ -x "$bin/limbeck-distill" ] || { echo "$bin/limbeck-distill is missing: run scripts/demo.sh or build it" >&2; exit 2; }
mkdir -p "$out"
cd "$out"

for i in 0 1; do
  data=${folders[i]}
  "$bin/limbeck-prepare" recordings "$data/clean" --out speech.$i.csv --splits "$data/manifest.csv"
  "$bin/limbeck-prepare" recordings "$data/noise" --out noise.$i.csv --splits "$data/manifest.csv"
  "$bin/limbeck-prepare" pairs --clean "$data/vbd_train/clean" --noisy "$data/vbd_train/noisy" --split valid --out valid.$i.csv
  "$bin/limbeck-prepare" pairs --clean "$data/vbd_test/clean" --noisy "$data/vbd_test/noisy" --out test.$i.csv
done

here=$root/models/student_25k
"$bin/limbeck-pretrain" "$here/teacher.yaml"
"$bin/limbeck-distill" "$here/student.yaml"
for i in 0 1; do
  "$bin/limbeck-evaluate" --model student --manifest test.$i.csv --metrics all --out scores/$i
done

# The network, what it was trained on (so that scoring it on that is refused), and whose recordings these are.
mkdir -p release
step=$(sed -n 's/.*"checkpoint": *"\([^"]*\)".*/\1/p' student/best.json)
cp "student/checkpoints/$step/model.safetensors" student/data.json release/
python3 "$here/attribution.py" "${folders[@]}" > release/ATTRIBUTION.md
