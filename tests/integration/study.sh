#!/usr/bin/env bash
# What may happen to a study: it is killed, hung up, cancelled, a model of it is damaged, a rate was wrong, its data or its
# teacher are made anew, another study wants the same runs. With KEEP=1 in the environment its folder stays.
# Usage: study.sh BIN_DIR SOURCE_DIR
set -euo pipefail
bin=$1
source=$2
cd "$source"
. tests/integration/expect.sh
# The processes that run a node of a study below `work`.
nodes() {
  local process
  for process in $(grep -lsz "^$work/[^/]*/study$" /proc/[0-9]*/cmdline | cut -d/ -f3 || true); do
    ! grep -qsz "^node$" "/proc/$process/cmdline" || echo "$process"
  done
}
trap 'kill $(nodes) 2>/dev/null || true; [ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT

make_corpus "$bin" 0.5

network="{memory_format: channels_last, stem: {channels: 4, stride: 4, kernel_freq: 7}, encoder: [{channels: 4, blocks: 1, \
stride: 2, kernel_time: 3, kernel_freq: 3}], expansion: 2, latent: {channels: 4, in_channels: 4}, temporal: none, skips: add}"
cat >"$work/study.yaml" <<END
study: {name: small, dir: $work/small/study, seeds: [1, 2], metrics: [si_sdr], baseline: none, jobs: 2,
  sets: [{name: made, manifest: $work/test.csv}]}
teachers:
  t: {model: $network, train: {steps: 5}}
scenarios:
  - {name: same, teacher: t, student: {model: $network, train: {steps: 4}}}
methods:
  - {name: none}
  - {name: cosine, distill: {terms: [{name: cosine, weight: 0.3, student: latent, teacher: latent, granularity: frame}]}}
overrides:
  data: {source: {type: mixtures, speech: $work/clean.csv, noise: $work/noise.csv}, segment_seconds: 0.5, valid_count: 2,
    valid_segment_seconds: 0.5}
  train: {validate_every: 2, batch_size: 2, log_every: 1}
END
tool=$bin/limbeck-study
study=("$tool" "$work/study.yaml")
in_dir() { printf '%s\n' --set "study.dir=$work/$1/study"; }
runs_in() { find "$work/$1/store" -mindepth 1 -maxdepth 1 | wc -l; }
same_results() { # same_results DIR: its report is that of `small`, byte for byte
  local file
  for file in table.md results.csv summary.json; do
    cmp "$work/small/study/$file" "$work/$1/study/$file" || fail "$1 ended in another $file"
  done
}

# A dry run writes nothing, wherever it is to lie.
expect 0 "same, cosine, seed 2: waiting (runs/same/cosine/seed-2)" "${study[@]}" --dry-run
[ ! -e "$work/small" ] || fail "a dry run wrote something"
expect 0 "configuration is sound" "${study[@]}" --check
expect 0 "study small: 1 teacher, 1 scenario x 2 methods, 5 trainings; in $work" "${study[@]}" --check
[ ! -e "$work/small" ] || fail "--check wrote something"

# The whole of it; what is done is done.
expect 0 "student: 4 to run, 0 done before" "${study[@]}"
expect 0 "student: 0 to run, 4 done before" "${study[@]}"
[ -L "$work/small/study/runs/same/none/seed-1" ] || fail "a run does not lie in the store"
[ "$(runs_in small)" = 5 ] || fail "the store does not hold five runs"
grep -q "^same,cosine,.*,mean,si_sdr," "$work/small/study/results.csv" || fail "results.csv has no means"
cp "$work/small/study/table.md" "$work/table.md"
expect 0 "teacher t" "$tool" report "$work/small/study"
cmp "$work/table.md" "$work/small/study/table.md" || fail "report writes another table"
expect 0 "study small in $work/small/study: not running" "$tool" status "$work/small/study"
grep -qE "^\| student +\| +4 +\| +4 +\| +0 +\| +0 " "$work/output" || fail "status does not count four students as done"
expect 0 "$work/small/study/logs/runs/same/none/seed-1.log: best: step" "$tool" logs "$work/small/study"
expect 0 "run: $work/small/store/" "$tool" logs "$work/small/study" runs/same/none/seed-1
expect 2 "did you mean 'runs/same/none/seed-1'?" "$tool" logs "$work/small/study" runs/same/none/seed1
expect 2 "no process runs this study" "$tool" cancel "$work/small/study"
expect 2 "holds no study" "$tool" status "$work/corpus"

# Another study finds its runs in the store, and trains nothing.
reusing=("${study[@]}" --set study.name=other --set "study.dir=$work/small/other")
expect 0 "student: 0 to run, 4 done before" "${reusing[@]}" --set study.seeds=[2,1]
[ "$(runs_in small)" = 5 ] || fail "another study trained what was there"
expect 2 "is the folder of study 'small', not of 'other'" "${reusing[@]}" --set "study.dir=$work/small/study"

# Killed, it leaves no training behind, and the same command goes on.
endless=("${study[@]}" $(in_dir endless) --set study.seeds=[1] --set scenarios.0.student.train.steps=1000000)
begin_endless() {
  "${endless[@]}" >"$work/endless.log" 2>&1 &
  child=$!
  for _ in $(seq 600); do
    grep -qs "$1" "$work/endless/study/logs/runs/same/none/seed-1.log" &&
      grep -qs "$1" "$work/endless/study/logs/runs/same/cosine/seed-1.log" && [ "$(nodes | wc -l)" = 2 ] && return
    sleep 0.1
  done
  cat "$work/endless.log" >&2
  fail "no two trainings that say '$1'"
}
expect_no_trainings() {
  for _ in $(seq 300); do
    [ -z "$(nodes)" ] && return
    sleep 0.1
  done
  fail "a training lives on"
}
ended() { # ended HOW CODE: the study has, with this code, and so have its trainings
  local code=0
  wait $child || code=$?
  [ $code = "$2" ] || { cat "$work/endless.log" >&2; fail "exit code $code after $1, expected $2"; }
  [ -z "$(nodes)" ] || fail "a training lives on after $1"
}
begin_endless "valid 2/"
expect 0 "running since" "$tool" status "$work/endless/study"
grep -qE "same, none, seed 1: step [0-9]+/1000000, " "$work/output" || fail "status does not say how far a training is"
expect 2 "another process" "${endless[@]}"
kill -9 $child
wait $child 2>/dev/null || true
expect_no_trainings
expect 0 "not running" "$tool" status "$work/endless/study"
begin_endless "going on from step"
kill -HUP $child
ended SIGHUP 129
begin_endless "going on from step"
expect 0 "has ended" "$tool" cancel "$work/endless/study"
ended cancel 130

# Killed at any moments, the study itself and its nodes, it ends in the same tables.
killed=("${study[@]}" $(in_dir killed))
nodes_killed=0
studies_killed=0
for delay in 0 0.1 0.4 0.9 0.2 1.3 0.6; do
  "${killed[@]}" >"$work/killed.log" 2>&1 &
  child=$!
  while [ -z "$(nodes)" ] && kill -0 $child 2>/dev/null; do sleep 0.02; done
  sleep $delay
  node=$(nodes)
  node=${node%%[[:space:]]*}
  [ -z "$node" ] || ! kill -9 "$node" 2>/dev/null || nodes_killed=$((nodes_killed + 1))
  sleep $delay
  kill -9 $child 2>/dev/null || true
  code=0
  wait $child 2>/dev/null || code=$?
  [ $code != 137 ] || studies_killed=$((studies_killed + 1))
done
[ $nodes_killed -ge 3 ] || fail "only $nodes_killed nodes were there to be killed"
[ $studies_killed -ge 3 ] || fail "only $studies_killed studies were there to be killed"
expect 0 "student: " "${killed[@]}"
same_results killed

# A node that dies is run once more.
twice=("${study[@]}" $(in_dir twice) --set scenarios.0.student.train.steps=200)
"${twice[@]}" >"$work/twice.log" 2>&1 &
child=$!
for _ in $(seq 600); do
  grep -qs "valid" "$work/twice/study/logs/runs/same/none/seed-1.log" && break
  sleep 0.05
done
kill -9 $(nodes) 2>/dev/null || true
code=0
wait $child || code=$?
[ $code = 0 ] || { cat "$work/twice.log" >&2; fail "exit code $code after its nodes were killed once"; }
grep -q "killed by signal 9.*; it is run once more" "$work/twice.log" || { cat "$work/twice.log"; fail "no word of a second try"; }

# One node by itself, once what it needs is done.
mkdir -p "$work/alone/study"
sed "s#$work/small/study#$work/alone/study#" "$work/small/study/study.yaml" >"$work/alone/study/study.yaml"
expect 2 "needs what is not done yet" "$tool" node "$work/alone/study" runs/same/cosine/seed-1
expect 0 "best: step" "$tool" node "$work/alone/study" teachers/t
expect 0 "best: step" "$tool" node "$work/alone/study" runs/same/cosine/seed-1
expect 0 "is done" "$tool" node "$work/alone/study" runs/same/cosine/seed-1
expect 0 "" "$tool" node "$work/alone/study" scores/runs/same/cosine/seed-1
expect 5 "same, none, seed 1: missing: " "$tool" report "$work/alone/study"
grep -q "^same,cosine,.*,mean,si_sdr," "$work/alone/study/results.csv" || fail "what is there is not in the report"
expect 0 "student: 3 to run, 1 done before" "${study[@]}" $(in_dir alone)
same_results alone
# It finds what it needs in the store, where another study has left it.
mkdir -p "$work/small/linkless"
"${study[@]}" --set "study.dir=$work/small/linkless" --set study.seeds=[1,2,3] --dump-config >"$work/small/linkless/study.yaml"
expect 0 "best: step" "$tool" node "$work/small/linkless" runs/same/cosine/seed-3
rm -r "$(readlink -f "$work/small/linkless/runs/same/cosine/seed-3")" "$work/small/linkless"

# A learning rate that was too high can be mended.
hot=("${study[@]}" $(in_dir hot) --set study.seeds=[1])
too_high=(--set scenarios.0.student.train.optimizer.lr=1e30)
expect 5 "training diverged at step" "${hot[@]}" "${too_high[@]}"
grep -q "^| .*| teacher t " "$work/hot/study/table.md" || fail "the teacher is not in the table"
expect 0 "same, cosine, seed 1 (runs/same/cosine/seed-1): exit code 4: training diverged at step" "$tool" status "$work/hot/study"
expect 5 "same, none, seed 1: it diverged" "${hot[@]}" "${too_high[@]}"
expect 5 "same, none, seed 1: exit code 4: training diverged at step" "$tool" retry "$work/hot/study" runs/same/none/seed-1
expect 0 "same, cosine, seed 1: waiting" "${hot[@]}" --dry-run --set teachers.t.run.seed=3 --restart-changed
expect 0 "same, cosine, seed 1: to run anew" "${hot[@]}" --dry-run
expect 0 "student: 2 to run, 0 done before" "${hot[@]}"
grep -q "in place of a run that came to nothing:" "$work/hot/study/logs/runs/same/none/seed-1.log" || fail "no word of what came to nothing"
expect 0 "student: 0 to run, 2 done before" "${hot[@]}"

# The first failure may stop all.
expect 5 "training diverged at step" "${study[@]}" $(in_dir fast) --fail-fast --jobs 1 "${too_high[@]}"
[ "$(find "$work/fast/study/runs" -type l | wc -l)" = 1 ] || fail "students were begun after the first had failed"

# What cannot be read is one failed cell, in a table of all others; it is trained anew on demand.
cp -r "$work/small" "$work/torn"
torn=("${study[@]}" $(in_dir torn))
tear() { truncate -s 1000 "$1"/checkpoints/*/model.safetensors; }
student=$work/torn/study/runs/same/none/seed-1
tear "$student"
expect 0 "no checkpoint is sound: step-" "${torn[@]}" --check
expect 5 "no checkpoint is sound: step-" "${torn[@]}"
grep -qE '^\| same +\| none +\|.* 1 of 2 ' "$work/torn/study/table.md" || fail "the other seed is not in the table"
grep -qE '^\| same +\| cosine +\|.*\| +2 +\|' "$work/torn/study/table.md" || fail "the other method is not in the table"
expect 0 "student: 1 to run, 3 done before" "$tool" retry "$work/torn/study"
same_results torn
# So is a teacher; who has learned from it stays in the table, who has not cannot.
tear "$work/torn/study/teachers/t"
expect 0 "same, cosine, seed 2: done" "${torn[@]}" --dry-run
expect 5 "teacher t: " "${torn[@]}"
! grep -q "its teacher failed" "$work/output" || fail "students that are done fail with their teacher"
for method in none cosine; do
  grep -qE "^\| same +\| $method +\|.*\| +2 +\|" "$work/torn/study/table.md" || fail "$method is not in the table without the teacher"
done
rm -r "$(readlink -f "$work/torn/study/runs/same/cosine/seed-2")"
expect 5 "same, cosine, seed 2: not run: its teacher failed" "${torn[@]}"
grep -qE '^\| same +\| none +\|.*\| +2 +\|' "$work/torn/study/table.md" || fail "students without a teacher fail with it"

# Results of one teacher, data set or test set never stand beside those of another.
changed=("${study[@]}" --set teachers.t.run.seed=7)
expect 2 "run.seed: 1 → 7" "${changed[@]}"
expect 0 "teacher t: is trained anew, by another configuration" "${changed[@]}" --restart-changed
! cmp -s "$work/killed/study/results.csv" "$work/small/study/results.csv" || fail "another teacher left the same results"
expect 0 "student: 0 to run, 4 done before" "${changed[@]}"
expect 0 "is trained anew" "${study[@]}" --restart-changed
same_results killed
[ "$(runs_in small)" = 8 ] || fail "the store does not hold both teachers and what follows them"
sed '/,train,/{x;s/^/x/;/^x$/{x;d};x}' "$work/clean.csv" >"$work/fewer.csv"
[ "$(wc -l <"$work/fewer.csv")" = $(($(wc -l <"$work/clean.csv") - 1)) ] || fail "fewer.csv"
expect 2 "data.source.speech: " "${study[@]}" --set "overrides.data.source.speech=$work/fewer.csv" --set study.seeds=[1,2,3]
cp "$work/test.csv" "$work/whole.csv"
sed -i '$d' "$work/test.csv"
expect 0 "scores: 5 to run, 0 done before" "${study[@]}"
for run in "$work"/small/study/{teachers/t,runs/*/*/*}; do
  [ "$(wc -l "$run"/eval/made-*/per_utterance.csv | grep -c "^ *$(wc -l <"$work/test.csv") /")" = 1 ] ||
    fail "$run is not scored on the new test set beside the old one"
done
mv "$work/whole.csv" "$work/test.csv"
expect 0 "scores: 0 to run, 5 done before" "${study[@]}"
same_results killed

# A score that is not defined is told of, and made again on demand only.
gone=$(tail -n 1 "$work/test.csv" | cut -d, -f1)
undefined=("${study[@]}" $(in_dir undefined) --set study.seeds=[1])
noisy=$work/corpus/vbd_test/noisy/$gone.flac
mv "$noisy" "$work/noisy.flac"
expect 5 "made: 1 scores are not defined" "${undefined[@]}"
grep -q "$gone is in no mean: " "$work/undefined/study/table.md" || fail "table.md does not name the utterance"
expect 5 "scores: 0 to run, 3 done before" "${undefined[@]}"
expect 5 "made: 1 scores are not defined" "$tool" report "$work/undefined/study"
mv "$work/noisy.flac" "$noisy"
expect 5 "scores: 0 to run, 3 done before" "${undefined[@]}"
expect 0 "" "$tool" retry "$work/undefined/study"
expect 0 "scores: 0 to run, 3 done before" "${undefined[@]}"

# What a cache keeps of a teacher is of no use to the next one, and who reads it learns the same.
cached=("${study[@]}" --set study.seeds=[1] --set overrides.data.epochs_unique=1 --set scenarios.0.student.train.steps=6)
expect 0 "cache: 1 to run, 0 done before" "${cached[@]}" $(in_dir cached)
expect 0 "is trained anew" "${cached[@]}" $(in_dir cached) --set teachers.t.run.seed=7 --restart-changed
expect 0 "same" "${cached[@]}" $(in_dir fresh) --set teachers.t.run.seed=7
cmp "$work/cached/study/results.csv" "$work/fresh/study/results.csv" || fail "students heard another teacher"

# A search chooses on validation and writes down what it has tried; a sweep is an axis of its own.
cat >"$work/search.yaml" <<END
study: {search: {seeds: [101], points: 2, by: loss}, seeds: [1]}
methods:
  - {name: none, search: {train.optimizer.lr: [0.001, 1e30]}}
  - name: cosine
    distill: {terms: [{name: cosine, weight: 0.3, student: latent, teacher: latent, granularity: frame}]}
    search: {train.optimizer.lr: [0.001, 0.002]}
sweep: {over: {train.batch_size: [2, 3]}}
END
searching=("$tool" "$work/study.yaml" "$work/search.yaml" $(in_dir search))
expect 0 "point: 4 to run, 0 done before" "${searching[@]}"
choice=$work/search/study/search/same/none/choice.json
grep -q "lr" "$choice" || fail "$choice does not name the points"
[ "$(find "$work/search/study/runs" -type l | wc -l)" = 4 ] || fail "two methods by two sweep points are four students"
runs=$(runs_in search)
expect 0 "search point: 0 to run, 4 done before" "${searching[@]}"
[ "$(runs_in search)" = "$runs" ] || fail "something is trained again"
# Where a point that seemed to diverge is trained again and is the best, students of the old choice count no more.
best=$(grep -o '"chosen": [0-9]*' "$work/search/study/search/same/cosine/choice.json" | grep -o "[0-9]*$")
point=search/same/cosine/point-$best/seed-101
echo '{"step": 4, "diverged": "loss is nan"}' >>"$work/search/study/$point/metrics.jsonl"
expect 0 "is trained anew" "${searching[@]}" --restart-changed
expect 5 "its link leads to a run of another configuration" "$tool" retry "$work/search/study" "$point"
expect 0 "is trained anew" "${searching[@]}" --restart-changed

# Bad input is found before anything is begun.
bad() { local text=$1; shift; expect 2 "$text" "${study[@]}" $(in_dir bad) --dry-run "$@"; }
rates="train.optimizer.lr: [0.001, 0.002"
bad "'nothing'" --set study.baseline=nothing
bad "nothing" --set study.primary=nothing
bad "'nothing'" --set "study.compare=[[cosine, nothing]]"
bad "stepz" --set "sweep.over={train.stepz: [1, 2]}"
bad "train.steps" --set "study.search.seeds=[9]" --set "methods.0.search={train.steps: [1, 2]}" --set "methods.1.search={$rates]}"
bad "points" --set "study.search.seeds=[9]" --set "methods.0.search={$rates]}" --set "methods.1.search={$rates, 0.003]}"
bad "latent" --set "methods.1.distill.terms.0.student=nowhere"
bad "say --yes" --set study.ask_above=3
[ ! -e "$work/bad" ] || fail "a dry run wrote something"
expect 2 "5 trainings are to be begun, more than study.ask_above: 3; say --yes" "${study[@]}" $(in_dir bad) --set study.ask_above=3
expect 3 "$work/test.csv/study: Not a directory" "${study[@]}" --set "study.dir=$work/test.csv/study"
expect 2 "no configuration file is named" "$tool"
echo "all checks of studies passed"
