#!/usr/bin/env bash
# The executables as a user meets them: help, exit codes, a tiny training that is interrupted and resumed, scoring
# with an unreadable file, and a study that is run twice. Usage: cli.sh BIN_DIR SOURCE_DIR
set -euo pipefail
bin=$1
source=$2
cd "$source"
. tests/integration/expect.sh

for tool in prepare pretrain distill evaluate enhance study runs bench; do
  expect 0 "Example:" "$bin/limbeck-$tool" --help
  expect 0 "LibTorch" "$bin/limbeck-$tool" --version
  expect 2 "'--no-such-option' is no option here" "$bin/limbeck-$tool" --no-such-option
done
# Help of a subcommand shows that one, and what all share.
subcommands() { "$bin/limbeck-$1" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z-][a-z-]*\) .*/\1/p'; }
for tool in prepare study runs bench; do
  [ -n "$(subcommands "$tool")" ] || fail "limbeck-$tool --help lists no subcommands"
  for subcommand in $(subcommands "$tool"); do
    expect 0 "  limbeck-$tool $subcommand" "$bin/limbeck-$tool" "$subcommand" --help
    expect 0 "Common options:" "$bin/limbeck-$tool" "$subcommand" --help
  done
done
expect 0 "  limbeck-evaluate compare" "$bin/limbeck-evaluate" compare --help
for tool in prepare study bench; do
  COLUMNS=100 "$bin/limbeck-$tool" --help | grep -v "^  limbeck-" |
    python3 -c 'import sys; sys.exit(any(len(line.decode()) > 101 for line in sys.stdin.buffer))' || fail "help of $tool is wider than the terminal"
done
expect 2 "did you mean 'recordings'?" "$bin/limbeck-prepare" recording
expect 2 "See limbeck-runs plot --help" "$bin/limbeck-runs" plot --outt x.svg
expect 0 "Paths are relative to the folder in which the command is started" "$bin/limbeck-evaluate" --help-config
# An option takes one value, and what follows is a file.
expect 0 "seed:" "$bin/limbeck-pretrain" --device cpu --threads 1 configs/pretrain/demo_student.yaml --dump-config
expect 0 "train.optimizer.lr: number, greater than 0; default 0.001" "$bin/limbeck-pretrain" --help-config
expect 0 "distill.terms[].weight" "$bin/limbeck-distill" --help-config
expect 2 "--set train.lrr=1: train.lrr: unknown key" \
  "$bin/limbeck-pretrain" configs/pretrain/demo_teacher.yaml --set train.lrr=1
expect 2 "no configuration file is named" "$bin/limbeck-pretrain"
expect 0 "| si_sdr " "$bin/limbeck-evaluate" --list-metrics
expect 3 "no-such.csv: cannot be read" \
  "$bin/limbeck-pretrain" configs/pretrain/demo_teacher.yaml --check --set data.source.speech=no-such.csv

# What is printed and does not arrive is an error, whatever prints it.
if [ -w /dev/full ]; then
  lost() { expect 3 "error: standard output: cannot be written" sh -c '"$0" "$@" >/dev/full' "$@"; }
  for tool in prepare pretrain distill evaluate enhance study runs bench; do lost "$bin/limbeck-$tool" --help; done
  lost "$bin/limbeck-evaluate" --list-metrics
  lost "$bin/limbeck-study" --help-config
  lost "$bin/limbeck-pretrain" configs/pretrain/demo_student.yaml --dump-config
fi
expect 3 "error: standard output: cannot be written" sh -c '"$0" --help >&-' "$bin/limbeck-prepare"

# What is dumped reads back to the same.
"$bin/limbeck-pretrain" configs/pretrain/demo_student.yaml --dump-config >"$work/dump.yaml"
"$bin/limbeck-pretrain" "$work/dump.yaml" --dump-config | cmp - "$work/dump.yaml" || fail "the dump does not read back"

make_corpus "$bin" 1
# What std::filesystem throws names the path, and is no internal error.
touch "$work/file"
expect 3 "$work/file/scores: Not a directory" "$bin/limbeck-evaluate" --clean "$work/corpus/vbd_test/clean" \
  --estimate "$work/corpus/vbd_test/noisy" --out "$work/file/scores" --metrics si_sdr
cp "$work/test.csv" "$work/broken.csv"
echo "lost,corpus/lost.wav,corpus/lost.wav,x,test,100,16000,$(printf '0%.0s' {1..32}),$(printf '0%.0s' {1..32})" >>"$work/broken.csv"

train=("$bin/limbeck-pretrain" configs/pretrain/demo_student.yaml --threads 1 --set "data.source.speech=$work/clean.csv"
  --set "data.source.noise=$work/noise.csv" --set data.segment_seconds=0.5 --set data.valid_count=2
  --set data.valid_segment_seconds=1 --set train.batch_size=2 --set train.validate_every=4 --set train.log_every=1)
expect 0 "configuration is sound" "${train[@]}" --set "run.dir=$work/whole" --check
[ ! -e "$work/whole" ] || fail "--check made a run folder"
"${train[@]}" --set "run.dir=$work/whole" --set train.steps=12 --quiet
# A distillation without terms is the same training.
"$bin/limbeck-distill" "${train[@]:1}" --set "run.dir=$work/without-terms" --set train.steps=12 --quiet
cmp "$work/"{whole,without-terms}/checkpoints/step-00000012/model.safetensors || fail "limbeck-distill without terms trains otherwise"
expect 2 "teacher.checkpoint: limbeck-pretrain trains without a teacher" "${train[@]}" --set "teacher.checkpoint=$work/whole"
expect 2 "--extend goes on with it" "${train[@]}" --set "run.dir=$work/whole" --set train.steps=13
expect 2 "train.batch_size: 2 → 3" "${train[@]}" --set "run.dir=$work/whole" --set train.steps=12 --set train.batch_size=3
expect 0 "already trained to step 12" "${train[@]}" --set "run.dir=$work/whole" --set train.steps=12
# Which kernels run is no part of what a run is, and is written down.
grep -q '"kernels": "fused"' "$work/whole/environment.json" || fail "environment.json does not name the kernels"
for key in compiler processor identity command started; do
  grep -q "\"$key\": " "$work/whole/environment.json" || fail "environment.json does not name the $key"
done
[ -s "$work/whole/tensorboard/events.out.tfevents.limbeck" ] || fail "TensorBoard is told nothing"
expect 0 "begun with another kernels" "${train[@]}" --set "run.dir=$work/whole" --set train.steps=12 --set run.kernels=reference
expect 0 "run.kernels: reference" "${train[@]}" --set "run.dir=$work/plain" --set train.steps=1 --set run.kernels=reference --verbose

# Longer, another run from its checkpoint, and its weights alone.
cp -r "$work/whole" "$work/longer"
longer=("${train[@]}" --set "run.dir=$work/longer" --set train.steps=16)
expect 0 "extended from 12 to 16 steps" "${longer[@]}" --extend
expect 0 "already trained to step 16" "${longer[@]}"
expect 0 "trained 4 steps in " "${train[@]}" --set "run.dir=$work/fork" --set train.steps=16 --set train.batch_size=3 --fork "$work/whole"
expect 0 "already trained to step 16" "${train[@]}" --set "run.dir=$work/fork" --set train.steps=16 --set train.batch_size=3
expect 0 "trained 2 steps" "${train[@]}" --set "run.dir=$work/init" --set train.steps=2 --set "train.init=$work/whole"
expect 2 "$work/nothing: no such" "${train[@]}" --set "run.dir=$work/init2" --set "train.init=$work/nothing"

# A request to save is no end.
"${train[@]}" --set "run.dir=$work/asked" --set train.steps=400 --set train.validate_every=400 >"$work/asked.log" 2>&1 &
child=$!
for _ in $(seq 600); do
  [ -e "$work/asked/metrics.jsonl" ] && [ "$(wc -l <"$work/asked/metrics.jsonl")" -ge 3 ] && break
  sleep 0.05
done
kill -USR1 $child
for _ in $(seq 600); do
  [ -e "$work/asked/last.json" ] && break
  sleep 0.05
done
[ -e "$work/asked/last.json" ] || fail "SIGUSR1 saved nothing"
kill -TERM $child
code=0
wait $child || code=$?
[ $code = 143 ] || { cat "$work/asked.log" >&2; fail "exit code $code after SIGUSR1 and SIGTERM, expected 143"; }
grep -q "saved at step" "$work/asked.log" || fail "SIGUSR1 is not told of"

# Interrupted twice and resumed, the run ends in the same bits. The step count is what a longer run would take.
long=("${train[@]}" --set train.steps=40)
"${long[@]}" --set "run.dir=$work/once" --quiet
"${long[@]}" --set "run.dir=$work/cut" >"$work/cut.log" 2>&1 &
child=$!
for _ in $(seq 600); do
  [ -e "$work/cut/metrics.jsonl" ] && [ "$(wc -l <"$work/cut/metrics.jsonl")" -ge 6 ] && break
  sleep 0.05
done
kill -INT $child
code=0
wait $child || code=$?
[ $code = 130 ] || { cat "$work/cut.log" >&2; fail "exit code $code after SIGINT, expected 130"; }
"${long[@]}" --set "run.dir=$work/cut" --quiet
for file in model.safetensors optimizer.safetensors; do
  cmp "$work/once/checkpoints/step-00000040/$file" "$work/cut/checkpoints/step-00000040/$file" ||
    fail "$file differs between one sitting and an interrupted run"
done
untimed() { grep '"split":"train"' "$1" | sed 's/,"timing":{[^}]*}//'; }
untimed "$work/once/metrics.jsonl" | cmp - <(untimed "$work/cut/metrics.jsonl") ||
  fail "metrics.jsonl differs between one sitting and an interrupted run"

"$bin/limbeck-distill" configs/distill/cosine.yaml "${train[@]:2}" --set train.steps=8 --quiet \
  --set "teacher.checkpoint=$work/whole" --set "run.dir=$work/student-s1"
cp -r "$work/student-s1" "$work/student-s2"
# What the teacher says, kept on disk, gives the same student to the bit, be it written or read.
distill=("$bin/limbeck-distill" configs/distill/cosine.yaml "${train[@]:2}" --set train.steps=8 --set data.epochs_unique=1
  --set "teacher.checkpoint=$work/whole" --set "distill.balance={mode: gradient_ratio, steps: 6}")
"${distill[@]}" --set "run.dir=$work/computing" --quiet
for run in writing reading; do
  "${distill[@]}" --set "run.dir=$work/$run" --set "distill.cache.dir=$work/said" --quiet
  for file in model.safetensors helpers.safetensors; do
    cmp "$work/computing/checkpoints/step-00000008/$file" "$work/$run/checkpoints/step-00000008/$file" ||
      fail "$file differs between a teacher that is run and one in a cache ($run)"
  done
done
# A run may be moved; its teacher may be, too, but not become another one.
mv "$work/computing" "$work/renamed"
cp -r "$work/whole" "$work/teacher"
expect 0 "already trained to step 8" "${distill[@]}" --set "run.dir=$work/renamed" --set "teacher.checkpoint=$work/teacher"
rm -r "$work/teacher"
cp -r "$work/once" "$work/teacher"
expect 2 "teacher.model: " "${distill[@]}" --set "run.dir=$work/renamed" --set "teacher.checkpoint=$work/teacher"
mv "$work/renamed/identity.json" "$work/kept.json"
expect 2 "$work/renamed: is a run without identity.json" "${distill[@]}" --set "run.dir=$work/renamed"
expect 3 "$work/renamed: is a run without identity.json" \
  "$bin/limbeck-evaluate" --model "$work/renamed" --manifest "$work/test.csv" --out "$work/x" --metrics si_sdr
mv "$work/kept.json" "$work/renamed/identity.json"
expect 2 "teacher.checkpoint: $work/none: no such model file" "${distill[@]}" --set "run.dir=$work/x" --set "teacher.checkpoint=$work/none"
expect 2 "no phase trains the denoising task" "${distill[@]}" --set "run.dir=$work/x" --set "distill.phases=[{task: false}]"
expect 0 "latent [2, 16, " "${distill[@]}" --set "run.dir=$work/x" --explain
grep -qE '^\| cosine .* 272 \|.* [0-9.]+ % \|$' "$work/output" || { cat "$work/output" >&2; fail "the gradient's share"; }
[ ! -e "$work/x" ] || fail "a refused or explained run made its folder"
expect 0 "with teacher cached" "$bin/limbeck-bench" step "${distill[@]:1}" --set "run.dir=$work/x"
expect 0 "| noisy" "$bin/limbeck-evaluate" --model "$work/student-s1" --manifest "$work/test.csv" --out "$work/scores" --metrics si_sdr
head -n 1 "$work/scores/per_utterance.csv" | grep -qx "id,seconds,speaker,si_sdr,si_sdr_improvement,si_sdr_noisy" ||
  fail "header of per_utterance.csv"
expect 0 "scored before" "$bin/limbeck-evaluate" --model "$work/student-s1" --manifest "$work/test.csv" --out "$work/scores" --metrics si_sdr
# Results of something else are not overwritten; a copy of a model is the same model.
expect 2 "model: " "$bin/limbeck-evaluate" --model "$work/whole" --manifest "$work/test.csv" --out "$work/scores" --metrics si_sdr
expect 2 "set: " "$bin/limbeck-evaluate" --model "$work/student-s1" --manifest "$work/broken.csv" --out "$work/scores" --metrics si_sdr
expect 0 "scored before" "$bin/limbeck-evaluate" --model "$work/student-s2" --manifest "$work/test.csv" --out "$work/scores" --metrics si_sdr
expect 5 "lost" "$bin/limbeck-evaluate" --model "$work/student-s1" --manifest "$work/broken.csv" --out "$work/scores5"
[ "$(wc -l <"$work/scores5/failures.csv")" = 2 ] || fail "failures.csv"
# What the model made, scored as the output of any system, has the same scores; two results compare.
expect 0 "PESQ-WB" "$bin/limbeck-evaluate" --model "$work/student-s1" --manifest "$work/test.csv" --out "$work/saved" --save-audio --jobs 1
expect 0 "| audio" "$bin/limbeck-evaluate" --manifest "$work/test.csv" --estimate "$work/saved/audio" --out "$work/again" --jobs 2
cmp "$work/saved/per_utterance.csv" "$work/again/per_utterance.csv" || fail "saved audio scores otherwise"
expect 0 "+0.00 [+0.00, +0.00]" sh -c "$bin/limbeck-evaluate compare $work/saved $work/again | tr -s ' |' ' '"
expect 3 "no-such/per_utterance.csv" "$bin/limbeck-evaluate" compare "$work/saved" "$work/no-such"
expect 2 "'comp' is neither a file nor a subcommand; did you mean 'compare'?" "$bin/limbeck-evaluate" comp "$work/saved" "$work/again"
expect 2 "did you mean 'compare'?" "$bin/limbeck-evaluate" compar "$work/saved" "$work/again" --worst 3
expect 2 "did you mean 'status'?" "$bin/limbeck-study" statsu "$work/study"
expect 0 "channel: mix" "$bin/limbeck-evaluate" --clean a --estimate b --out c --channel mix --dump-config
expect 0 "resample_hz: 16000" "$bin/limbeck-evaluate" --clean a --estimate b --out c --resample --align --dump-config
expect 0 "resample_hz: 8000" "$bin/limbeck-evaluate" --clean a --estimate b --out c --resample 8000 --dump-config
expect 2 "--resample: 0 is not above 0" "$bin/limbeck-evaluate" --clean a --estimate b --out c --resample 0 --dump-config
expect 2 "an estimate needs clean or manifest" "$bin/limbeck-evaluate" --estimate "$work/saved/audio" --out "$work/x"
expect 0 "all runs" "$bin/limbeck-evaluate" --runs "$work/student-s*" --manifest "$work/test.csv" --out "$work/over"
expect 0 "| noisy" "$bin/limbeck-evaluate" --clean "$work/corpus/vbd_test/clean" --estimate "$work/corpus/vbd_test/noisy" \
  --noisy "$work/corpus/vbd_test/noisy" --out "$work/folders"
# Estimates that are named otherwise: what helps is said.
mkdir "$work/enhanced"
for file in "$work"/corpus/vbd_test/noisy/*; do
  name=$(basename "$file")
  cp "$file" "$work/enhanced/${name%.*}_enhanced.${name##*.}"
done
enhanced=("$bin/limbeck-evaluate" --clean "$work/corpus/vbd_test/clean" --estimate "$work/enhanced" --metrics si_sdr --threads 2)
expect 3 "--strip-suffix=_enhanced takes it away" "${enhanced[@]}" --out "$work/unmatched"
expect 0 "| enhanced" "${enhanced[@]}" --out "$work/stripped" --strip-suffix _enhanced
head -c 1000 "$work/student-s1/checkpoints/step-00000008/model.safetensors" >"$work/torn.safetensors"
expect 3 "cut short" "$bin/limbeck-evaluate" --model "$work/torn.safetensors" --manifest "$work/test.csv" --out "$work/x"
expect 0 "step_ms" "$bin/limbeck-bench" step "${train[@]:1}" --json
expect 0 "| inverted_bottleneck" "$bin/limbeck-bench" step "${train[@]:1}"
expect 0 "first / second" "$bin/limbeck-bench" model configs/model/student_25k.yaml --against configs/model/demo_student.yaml \
  --repetitions 1
expect 0 "stream_ms_per_second" "$bin/limbeck-bench" model configs/distill/cosine.yaml --repetitions 1 --json
expect 2 "has no section 'model'" "$bin/limbeck-bench" model configs/demo/fast.yaml
expect 2 "narrower than a bin" "$bin/limbeck-bench" model configs/model/student_25k.yaml --set model.bands.merged=190
expect 0 "times_real_time_per_core" \
  "$bin/limbeck-bench" metrics --manifest "$work/test.csv" --metrics stoi,si_sdr --repetitions 1 --json
expect 3 "pairs are needed" "$bin/limbeck-bench" metrics --manifest "$work/clean.csv"

# Several manifests, with shares.
awk -F, 'NR == 1 || $4 == "train"' "$work/clean.csv" >"$work/more.csv"
several="data.source.speech=[$work/clean.csv, $work/more.csv]"
expect 0 "configuration is sound" "${train[@]}" --set "$several" --set "data.source.speech_shares=[1, 2]" --check
expect 2 "data.source.speech_shares: gives 1 shares for 2 manifests" "${train[@]}" --set "$several" --set "data.source.speech_shares=[1]"
expect 0 "1 examples" "$bin/limbeck-prepare" preview configs/pretrain/demo_student.yaml --set "$several" \
  --set "data.source.noise=$work/noise.csv" --n 1 --out "$work/preview"

# Data that is locked, moved, changed; data that leaks.
expect 0 "made.yaml: locked" "$bin/limbeck-prepare" protocol --name made --train "$work/clean.csv" --valid "$work/clean.csv" \
  --noise "$work/noise.csv" --test "$work/test.csv" --out "$work/made.yaml"
protocol=("${train[@]}" --set "data.source={type: protocol, file: $work/made.yaml}")
expect 0 "configuration is sound" "${protocol[@]}" --set "run.dir=$work/locked" --check
{ cat "$work/test.csv"; awk -F, -v OFS=, 'NR > 1 && $4 == "train" { print "leak", $2, $2, $3, "test", $5, $6, $7, $7; exit }' \
  "$work/clean.csv"; } >"$work/leaky.csv"
locking=("$bin/limbeck-prepare" protocol --name leaky --train "$work/clean.csv" --valid "$work/clean.csv"
  --noise "$work/noise.csv" --test "$work/leaky.csv" --out "$work/leaky.yaml")
expect 3 "leak of test has the samples of" "${locking[@]}"
[ ! -e "$work/leaky.yaml" ] || fail "a protocol that leaks was written"
expect 0 "LEAK ALLOWED" "${locking[@]}" --allow-leak
expect 0 "locked" "$bin/limbeck-prepare" protocol --name part --partial "24 of 824 test pairs" --test "$work/test.csv" \
  --out "$work/part.yaml"
cp "$work/student-s1/checkpoints/step-00000008/model.safetensors" "$work/bare.safetensors"
leaky=("${protocol[@]}" --set "data.source.file=$work/leaky.yaml" --set "run.dir=$work/leaked" --set train.steps=2)
expect 3 "--allow-leak" "${leaky[@]}"
[ ! -e "$work/leaked" ] || fail "a refused run made its folder"
expect 0 "LEAK ALLOWED" "${leaky[@]}" --allow-leak
grep -q "LEAK ALLOWED: 1 file (leak)" "$work/leaked/environment.json" || fail "environment.json hides the leak"
# The same set held against what a model was trained on.
scoring=("$bin/limbeck-evaluate" --manifest "$work/leaky.csv" --metrics stoi --out "$work/leaky" --jobs 1)
expect 3 "leak of test has the samples of" "${scoring[@]}" --model "$work/student-s1"
expect 3 "leak of test has the samples of" "${scoring[@]}" --runs "$work/student-s*" --check
[ ! -e "$work/leaky" ] || fail "a refused evaluation made its folder"
expect 0 "**LEAK ALLOWED: 1 file (leak)" "${scoring[@]}" --model "$work/student-s1" --allow-leak
for output in summary.json per_utterance.csv table.md; do
  grep -q "LEAK ALLOWED: 1 file (leak)" "$work/leaky/$output" || fail "$output hides the leak"
done
expect 0 "nothing is known" "$bin/limbeck-evaluate" --model "$work/bare.safetensors" --protocol "$work/made.yaml" \
  --metrics si_sdr --out "$work/bare"
expect 0 "partial set: 24 of 824" "$bin/limbeck-evaluate" --model "$work/student-s1" --protocol "$work/part.yaml" \
  --metrics si_sdr --out "$work/part"
cp "$work/leaky.csv" "$work/still-leaky.csv"
sed -i '$d' "$work/leaky.csv"
expect 3 "leaky.csv: changed since" "${leaky[@]}" --allow-leak
expect 2 "data.source.noise: names no manifest" "${train[@]}" --set data.source.noise=

study=("$bin/limbeck-study" configs/study/demo.yaml configs/demo/fast.yaml --set "study.dir=$work/study" --set study.seeds=[1,2]
  --set "study.sets.0.manifest=$work/test.csv" --set "overrides.data.source.speech=$work/clean.csv"
  --set "overrides.data.source.noise=$work/noise.csv" --set overrides.train.steps=6)
expect 3 "set vbd_test against" "${study[@]}" --set "study.sets.0.manifest=$work/still-leaky.csv"
[ ! -e "$work/study" ] || fail "a refused study made its folder"
expect 0 "| narrower latent" "${study[@]}"
for config in configs/study/shared*.yaml; do
  expect 0 "configuration is sound" "$bin/limbeck-study" "$config" --set "study.sets.0.manifest=$work/test.csv" --check \
    --set "study.dir=$work/shared" --set "overrides.data.source.speech=$work/clean.csv" --set "overrides.data.source.noise=$work/noise.csv"
done
[ "$(grep -c ",mean,si_sdr," "$work/study/results.csv")" = 10 ] || fail "results.csv: noisy, teacher and 8 students"
cp "$work/study/results.csv" "$work/results.csv"
expect 0 "student: 0 to run, 8 done before" "${study[@]}"
expect 0 "narrower latent, cosine, seed 2: done" "${study[@]}" --dry-run
# Moved, it is the same study; with another learning rate it is another one.
mv "$work/study" "$work/moved study"
expect 0 "student: 0 to run, 8 done before" "${study[@]}" --set "study.dir=$work/moved study"
expect 2 "train.optimizer.lr: 0.0" "${study[@]}" --set "study.dir=$work/moved study" --set overrides.train.optimizer.lr=0.125
mv "$work/moved study" "$work/study"
expect 0 "narrower latent, cosine, seed 2: waiting" "${study[@]}" --set "study.dir=$work/none yet/study" --dry-run
[ ! -e "$work/none yet" ] || fail "--dry-run made the study's folder"
cmp "$work/results.csv" "$work/study/results.csv" || fail "the study's second call changed its results"

# Every recording that would be read is opened before "sound" is said.
expect 3 "corpus/lost.wav: does not exist" "$bin/limbeck-evaluate" --model "$work/student-s1" --manifest "$work/broken.csv" \
  --out "$work/x" --check
victim=$(awk -F, 'NR > 1 && /,valid,/ {print $2; exit}' "$work/clean.csv")
mv "$work/$victim" "$work/kept"
expect 3 "$victim: does not exist" "${train[@]}" --set "run.dir=$work/x" --check
expect 3 "$victim: does not exist" "${distill[@]}" --set "run.dir=$work/x" --check
expect 3 "$victim: does not exist" "${study[@]}" --set "study.dir=$work/x" --check
mv "$work/kept" "$work/$victim"
echo "all command line checks passed"
