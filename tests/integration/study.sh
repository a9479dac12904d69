#!/usr/bin/env bash
# What may happen to a study: it is killed, hung up, a model of it is damaged, a rate was wrong, its data or its teacher are
# made anew. Usage: study.sh BIN_DIR SOURCE_DIR
set -euo pipefail
bin=$1
source=$2
cd "$source"
. tests/integration/expect.sh
# The processes that train below `work`.
trainings() { grep -lsz "^$work/[^/]*/configs/" /proc/[0-9]*/cmdline | cut -d/ -f3 || true; }
trap 'kill $(trainings) 2>/dev/null || true; rm -rf "$work"' EXIT

make_corpus "$bin" 0.5

network="{memory_format: channels_last, stem: {channels: 4, stride: 4, kernel_freq: 7}, encoder: [{channels: 4, blocks: 1, \
stride: 2, kernel_time: 3, kernel_freq: 3}], expansion: 2, latent: {channels: 4, in_channels: 4}, temporal: none, skips: add}"
cat >"$work/study.yaml" <<END
study: {name: small, dir: $work/study, seeds: [1, 2], metrics: [si_sdr], baseline: none, jobs: 2,
  sets: [{name: made, manifest: $work/test.csv}]}
teachers:
  t: {model: $network, train: {steps: 4}}
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
study=("$bin/limbeck-study" "$work/study.yaml")

# Killed, it leaves no training behind, and the same command goes on.
endless=("${study[@]}" --set "study.dir=$work/endless" --set study.seeds=[1] --set scenarios.0.student.train.steps=1000000)
begin_endless() {
  "${endless[@]}" >"$work/endless.log" 2>&1 &
  child=$!
  for _ in $(seq 600); do
    grep -qs "$1" "$work/endless/logs/runs/same/none/seed-1.log" && grep -qs "$1" "$work/endless/logs/runs/same/cosine/seed-1.log" &&
      [ "$(trainings | wc -l)" = 2 ] && return
    sleep 0.1
  done
  cat "$work/endless.log" >&2
  fail "no two trainings that say '$1'"
}
expect_no_trainings() {
  for _ in $(seq 50); do
    [ -z "$(trainings)" ] && return
    sleep 0.1
  done
  fail "a training lives on"
}
begin_endless "valid 2/"
kill -9 $child
wait $child 2>/dev/null || true
expect_no_trainings
begin_endless "going on from step"
kill -HUP $child
code=0
wait $child || code=$?
[ $code = 129 ] || { cat "$work/endless.log" >&2; fail "exit code $code after SIGHUP, expected 129"; }
[ -z "$(trainings)" ] || fail "a training lives on after SIGHUP"

# A learning rate that was too high can be mended.
hot=("${study[@]}" --set "study.dir=$work/hot" --set study.seeds=[1])
expect 5 "training diverged at step" "${hot[@]}" --set scenarios.0.student.train.optimizer.lr=1e30
grep -q "^| teacher t " "$work/hot/table.md" || fail "the teacher is not in the table"
expect 0 "same, cosine, seed 1: to train anew" "${hot[@]}" --check
expect 0 "trained anew in place of one that came to nothing:" "${hot[@]}"
expect 0 "students: 0 to train, 2 done before" "${hot[@]}"

# What cannot be read is one failed cell, in a table of all others; removed, it is trained anew.
expect 0 "| same" "${study[@]}"
[ "$(wc -l <"$work/study/results.csv")" = 7 ] || fail "results.csv: noisy, teacher and 4 students"
cp -r "$work/study" "$work/torn"
torn=("${study[@]}" --set "study.dir=$work/torn")
tear() { truncate -s 1000 "$1"/checkpoints/*/model.safetensors; }
student=$work/torn/runs/same/none/seed-1
tear "$student"
expect 0 "to train it anew, remove $student" "${torn[@]}" --check
expect 5 "same, none, seed 1: $student: no checkpoint is sound: step-" "${torn[@]}"
grep -qE '^\| same +\| none +\|.*\| +1 \|' "$work/torn/table.md" || fail "the other seed is not in the table"
grep -qE '^\| same +\| cosine +\|.*\| +2 \|' "$work/torn/table.md" || fail "the other method is not in the table"
rm -r "$student"
expect 0 "students: 1 to train, 3 done before" "${torn[@]}"
cmp "$work/study/results.csv" "$work/torn/results.csv" || fail "a run that was trained anew has other results"
# So is a teacher; who has learned from it stays in the table, who has not cannot.
tear "$work/torn/teachers/t"
expect 0 "same, cosine, seed 2: done" "${torn[@]}" --check
expect 5 "teacher t: $work/torn/teachers/t: no checkpoint is sound: step-" "${torn[@]}"
! grep -q "its teacher failed" "$work/output" || fail "students that are done fail with their teacher"
for method in none cosine; do
  grep -qE "^\| same +\| $method +\|.*\| +2 \|" "$work/torn/table.md" || fail "$method is not in the table without the teacher"
done
rm -r "$work/torn/runs/same/cosine/seed-2"
expect 5 "same, cosine, seed 2: its teacher failed" "${torn[@]}"
grep -qE '^\| same +\| none +\|.*\| +2 \|' "$work/torn/table.md" || fail "students without a teacher fail with it"

# Results of one teacher, data set or test set never stand beside those of another.
rm -r "$work/torn/teachers/t"
expect 2 "run.seed: 1 → 7" "${study[@]}" --set teachers.t.run.seed=7
expect 2 "teacher.model: " "${torn[@]}" --set teachers.t.run.seed=7
sed '/,train,/{x;s/^/x/;/^x$/{x;d};x}' "$work/clean.csv" >"$work/fewer.csv"
[ "$(wc -l <"$work/fewer.csv")" = $(($(wc -l <"$work/clean.csv") - 1)) ] || fail "fewer.csv"
expect 2 "data.source.speech: " "${study[@]}" --set "overrides.data.source.speech=$work/fewer.csv" --set study.seeds=[1,2,3]
sed -i '$d' "$work/test.csv"
expect 0 "students: 0 to train, 4 done before" "${study[@]}"
for scores in "$work"/study/{teachers/t,runs/*/*/*}/eval/made/per_utterance.csv; do
  [ "$(wc -l <"$scores")" = "$(wc -l <"$work/test.csv")" ] || fail "$scores is of the old test set"
done

# What a cache keeps of a teacher is of no use to the next one.
cached=("${study[@]}" --set study.seeds=[1] --set overrides.data.epochs_unique=1 --set scenarios.0.student.train.steps=6)
expect 0 "| same" "${cached[@]}" --set "study.dir=$work/cached"
rm -r "$work"/cached/{teachers,runs}
expect 0 "| same" "${cached[@]}" --set "study.dir=$work/cached" --set teachers.t.run.seed=7
expect 0 "| same" "${cached[@]}" --set "study.dir=$work/fresh" --set teachers.t.run.seed=7
cmp "$work/cached/results.csv" "$work/fresh/results.csv" || fail "students heard another teacher"

expect 3 "$work/test.csv/study: Not a directory" "${study[@]}" --set "study.dir=$work/test.csv/study"
echo "all checks of studies passed"
