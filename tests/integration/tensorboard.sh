#!/usr/bin/env bash
# What a training that was killed and gone on with shows in TensorBoard, read by the Python package. Usage:
# tensorboard.sh BIN_DIR SOURCE_DIR [PYTHON]; exits with 77 where PYTHON has no package tensorboard.
set -euo pipefail
bin=$1
source=$2
python=${3:-python3}
"$python" -c 'import tensorboard' 2>/dev/null || { echo "skipped: $python has no package tensorboard"; exit 77; }
cd "$source"
. tests/integration/expect.sh

make_corpus "$bin" 1
train=("$bin/limbeck-pretrain" configs/pretrain/demo_student.yaml --threads 1 --set "data.source.speech=$work/clean.csv"
  --set "data.source.noise=$work/noise.csv" --set data.segment_seconds=0.5 --set data.valid_count=4
  --set data.valid_segment_seconds=1 --set train.batch_size=2 --set train.validate_every=10 --set train.log_every=2
  --set train.steps=40 --set "run.dir=$work/logs/run")
"${train[@]}" --quiet &
child=$!
for _ in $(seq 600); do
  [ -e "$work/logs/run/metrics.jsonl" ] && [ "$(wc -l <"$work/logs/run/metrics.jsonl")" -ge 8 ] && break
  sleep 0.05
done
kill -KILL $child
wait $child || true
"$python" tests/integration/tensorboard.py "$work/logs" --unfinished
"${train[@]}" --quiet
"$python" tests/integration/tensorboard.py "$work/logs"
echo "all checks of TensorBoard passed"
