#!/usr/bin/env bash
# What a real GPU is to be asked when there is one:
#
#     tests/benchmarks/device_check.sh [build/release/bin] [OUT]
#
# The tests that need one (values against the CPU's, checkpoints both ways), a training that is
# twice the same with run.deterministic, one of other arithmetic with run.tf32, how busy trainings
# keep the GPU (nvidia-smi), milliseconds a step beside PyTorch, eager and compiled (by $PYTHON, or
# python3, where that has PyTorch with CUDA, NumPy and PyYAML), and of every preset on GPU and CPU.
# OUT (a new folder by default) gets all of it. Some minutes; what matters most comes first.
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

# How busy a training keeps the GPU, asked five times a second, from the first time that it is to the
# last, without a fifth at either end: training has begun by then, and validation has not.
busy() {
  local preset=$1 batch=$2 steps=$3 sampler=
  if command -v nvidia-smi >/dev/null; then
    nvidia-smi --id=0 --query-gpu=utilization.gpu,memory.used --format=csv,noheader,nounits -lms 200 \
      >"$out/busy-$preset.csv" &
    sampler=$!
    # shellcheck disable=SC2064
    trap "kill $sampler 2>/dev/null || true" EXIT
  fi
  "$bin/limbeck-pretrain" "configs/model/$preset.yaml" "$out/data.yaml" --quiet --device cuda \
    --set "run.dir=$out/busy-$preset" --set "train.batch_size=$batch" --set data.segment_seconds=2 \
    --set "data.workers=$(nproc)" --set data.prefetch=32 --set "train.steps=$steps" --set "train.validate_every=$steps" \
    --set train.log_every=50 --set train.tensorboard.enabled=false
  echo "== $preset, batch $batch x 2 s"
  grep '"train"' "$out/busy-$preset/metrics.jsonl" | tail -1 | grep -oE '"(steps_per_second|waiting|[a-z_]*memory_mib)":[^,}]*'
  if [ -z "$sampler" ]; then
    echo "no nvidia-smi: not known how busy the GPU was"
    return
  fi
  kill "$sampler"
  wait "$sampler" || true
  awk -F', *' '{ busy[NR] = $1; used[NR] = $2; if ($1 > 0) { last = NR; if (!first) first = NR } }
    END { cut = int((last - first) / 5)
          for (i = first + cut; first && i <= last - cut; ++i) {
            sum += busy[i]; ++n; if (used[i] > most) most = used[i] }
          if (n) printf "GPU busy %.0f %% of the time (%d samples), %d MiB in use at most\n", sum / n, n, most
          else print "no sample of nvidia-smi in which the GPU was busy" }' "$out/busy-$preset.csv"
}
{
  busy student_25k 32 1500
  busy teacher_m 32 500
} | tee "$out/busy.txt"

python=${PYTHON:-python3}
if "$python" -c 'import numpy, torch, yaml; assert torch.cuda.is_available()' 2>"$out/python.txt"; then
  for batch in 8 32; do
    "$python" tests/benchmarks/model_reference.py configs/model/{student_25k,student_100k,teacher_m}.yaml \
      --device cuda --batch $batch --threads "$(nproc)" --rounds 3 --bin "$bin" \
      --variants contiguous,channels_last,compile_contiguous,compile_channels_last
  done | tee "$out/pytorch.txt"
else
  echo "no comparison with PyTorch: $(tail -1 "$out/python.txt")"
fi

for preset in configs/model/*.yaml; do
  for device in cuda cpu; do
    echo "== $(basename "$preset" .yaml) on $device"
    "$bin/limbeck-bench" step "$out/data.yaml" "$preset" --device $device
  done
done | tee "$out/steps.txt"
echo "in $out"
