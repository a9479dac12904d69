#!/usr/bin/env bash
# limbeck-runs on what real trainings leave: one that is finished, one that runs, and one that is interrupted, diverged or
# damaged. Usage: runs.sh BIN_DIR SOURCE_DIR
set -euo pipefail
bin=$1
source=$2
cd "$source"
. tests/integration/expect.sh
child=
trap '[ -z "$child" ] || kill -9 $child 2>/dev/null || true; rm -rf "$work"' EXIT

runs="$bin/limbeck-runs"
expect 2 "required" "$runs"
expect 2 "'no-such' is no subcommand here" "$runs" no-such
expect 3 "$work/none: no such folder" "$runs" list "$work/none"
mkdir "$work/empty"
expect 0 "no run lies here" "$runs" list "$work/empty"
expect 0 "nothing could go" "$runs" clean "$work/empty"
# No shell expands these.
expect 0 "no run lies here" env HOME="$work" "$runs" list '~/empty'
expect 3 "$work/none: no such folder" env HOME="$work" "$runs" list '~/none'
if command -v ldd >/dev/null; then
  [[ $(ldd "$runs") != *libtorch* ]] || fail "limbeck-runs loads LibTorch"
fi

make_corpus "$bin" 0.5
all=$work/all
train=("$bin/limbeck-pretrain" configs/pretrain/demo_student.yaml --threads 1 --set "data.source.speech=$work/clean.csv"
  --set "data.source.noise=$work/noise.csv" --set data.segment_seconds=0.5 --set data.valid_count=2
  --set data.valid_segment_seconds=0.5 --set train.batch_size=2 --set train.validate_every=2 --set train.log_every=1 --quiet)
"${train[@]}" --set "run.dir=$all/study/done" --set train.steps=6
"${train[@]}" --set "run.dir=$all/cut" --set train.steps=1000000 &
child=$!
for _ in $(seq 600); do
  [ -e "$all/cut/best.json" ] && break
  sleep 0.05
done

# While it runs, nothing is disturbed or removed.
before=$(find "$all/study" -printf '%p %T@\n')
expect 0 "| running " "$runs" list "$all"
[ "$before" = "$(find "$all/study" -printf '%p %T@\n')" ] || fail "list changed something"
expect 0 "all/cut: is in use, and left alone" "$runs" clean "$all" --yes --empty
kill -0 $child || fail "the training ended when it was looked at"
expect 0 "it is being trained" "$runs" show "$all/cut"
kill -INT $child
wait $child || true
child=

expect 0 "| interrupted " "$runs" list "$all"
grep -qE '^\| study/done +\| finished +\| pretrain \| +6/6 \| +si_sdr [-0-9.]+ \|' "$work/output" || { cat "$work/output" >&2; fail "row of a finished run"; }
"$runs" list "$all" --json | python3 -c '
import json, sys
cut, done = json.load(sys.stdin)
assert (cut["name"], cut["state"]) == ("cut", "interrupted"), cut
assert (done["name"], done["state"], done["step"], done["planned_steps"]) == ("study/done", "finished", 6, 6), done
assert done["best"]["metric"] == "si_sdr" and done["bytes"] > 100000 and not done["problems"], done
' || fail "--json"
expect 0 "| study/done " sh -c "'$runs' list '$all' --sort state | sed -n 3p"
expect 0 "train.steps: 1000000 → 6" "$runs" diff "$all/cut" "$all/study/done"
expect 0 "what determines their results: no differences" "$runs" diff "$all/cut" "$all/cut"
expect 0 "what determines their results:" "$runs" diff "$all/cut" "$all/study/done"
! grep -q " $" "$work/output" || fail "diff prints spaces at the ends of lines"
# What show names goes on with the run.
expect 0 "limbeck-pretrain $all/cut/config.yaml --set run.dir=$all/cut" "$runs" show "$all/cut"
expect 130 "going on from step" timeout --preserve-status -s INT 5 sh -c "PATH='$bin':\$PATH; $(tail -n 1 "$work/output")"

expect 0 "" "$runs" plot "$all/cut" "$all/study/done" --metrics si_sdr,loss,gradient_norm --split both --smooth 2 --out "$work/a.svg"
python3 -c '
import sys, xml.dom.minidom
text = " ".join(n.firstChild.data for n in xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("text"))
for part in ("cut", "study/done", "SI-SDR (dB)", "gradient norm", "step"):
    assert part in text, (part, text)
' "$work/a.svg" || fail "the plot"
expect 3 "has colour beside step; these are there: epoch" "$runs" plot "$all/cut" --metrics colour --out "$work/b.svg"
expect 2 "ends with .svg or .png" "$runs" plot "$all/cut" --out "$work/b.pdf"

# A checkpoint too many, and what a killed process left.
cp -r "$all/cut/checkpoints/$(ls "$all/cut/checkpoints" | head -n 1)" "$all/cut/checkpoints/step-00000001"
mkdir "$all/none"
cp "$all/cut/identity.json" "$all/none"
expect 0 "could be freed" "$runs" clean "$all" --dry-run
grep -q "step-00000001 | neither best nor last" "$work/output" || fail "clean does not list"
expect 2 "nobody is there to ask" "$runs" clean "$all" </dev/null
[ -e "$all/cut/checkpoints/step-00000001" ] || fail "clean removed without being asked to"
expect 0 "freed" "$runs" clean "$all" --yes
[ ! -e "$all/cut/checkpoints/step-00000001" ] || fail "clean left a checkpoint"
[ -e "$all/none" ] || fail "clean removed an empty run"
expect 0 "the whole run: no checkpoint, step 0" "$runs" clean "$all" --yes --empty
[ ! -e "$all/none" ] || fail "clean --empty left a run"
for run in cut study/done; do
  for which in best last; do
    checkpoint=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["checkpoint"])' "$all/$run/$which.json")
    [ -e "$all/$run/checkpoints/$checkpoint/manifest.json" ] || fail "clean removed the $which checkpoint of $run"
  done
done
expect 0 "nothing could go" "$runs" clean "$all" --yes --empty

# What is wrong is told, and the others are listed.
last=$(ls -d "$all/study/done/checkpoints"/* | tail -n 1)
head -c 100 "$last/model.safetensors" >"$work/torn" && cp "$work/torn" "$last/model.safetensors"
expect 5 "study/done: step-00000006: model.safetensors: another size" "$runs" list "$all"
grep -q ', DAMAGED | pretrain' "$work/output" || fail "the damaged run has no row"
expect 5 "DAMAGED: model.safetensors: another size" "$runs" show "$all/study/done"
mv "$all/cut/identity.json" "$work/kept.json"
expect 5 "run without identity.json" "$runs" list "$all"
expect 3 "run without identity.json" "$runs" diff "$all/cut" "$all/study/done"
echo "all checks of runs passed"
