#!/usr/bin/env bash
# What a real GPU is to be asked when there is one:
#
#     tests/benchmarks/device_check.sh [build/release/bin] [OUT]
#
# The tests that need one (values against the CPU's, checkpoints both ways), a training that is
# twice the same with run.deterministic, one of other arithmetic with run.tf32, and milliseconds a
# step of every preset on GPU and CPU. OUT (a new folder by default) gets all of it. Some minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${1:-build/release/bin}
out=${2:-$(mktemp -d)}
mkdir -p "$out"

"$bin/device_test" --gtest_filter='*cuda*' | tee "$out/tests.txt"
# Skipped tests pass.
if grep -q "SKIPPED" "$out/tests.txt"; then
  echo "no GPU that LibTorch can use" >&2
  exit 1
fi

"$bin/limbeck-prepare" synthetic --out "$out/data" --minutes 4 --speakers 16
for kind in clean noise; do
  "$bin/limbeck-prepare" recordings "$out/data/$kind" --out "$out/$kind.csv" --splits "$out/data/manifest.csv"
done
data="data: {source: {type: mixtures, speech: $out/clean.csv, noise: $out/noise.csv}, segment_seconds: 1, valid_count: 32}"
echo "$data" > "$out/data.yaml"
train() {
  local name=$1
  shift
  "$bin/limbeck-pretrain" configs/pretrain/demo_student.yaml "$out/data.yaml" --quiet \
    --set train.steps=200 --set train.validate_every=50 --set "run.dir=$out/$name" "$@"
}
train one --device cuda --set run.deterministic=true
train other --device cuda --set run.deterministic=true
train tf32 --device cuda --set run.tf32=true
train cpu --device cpu
cmp "$out"/{one,other}/checkpoints/step-00000200/model.safetensors
# Begun on one device, ended on the other.
train both --device cuda &
training=$!
while [ ! -e "$out/both/last.json" ] && kill -0 $training 2>/dev/null; do sleep 0.1; done
kill -TERM $training 2>/dev/null || true
wait $training || true
train both --device cpu
for run in one tf32 cpu both; do
  echo "$run: $(grep '"valid"' "$out/$run/metrics.jsonl" | tail -1)"
done | tee "$out/validation.txt"

for preset in configs/model/*.yaml; do
  for device in cuda cpu; do
    echo "== $(basename "$preset" .yaml) on $device"
    "$bin/limbeck-bench" step "$out/data.yaml" "$preset" --device $device
  done
done | tee "$out/steps.txt"
echo "in $out"
