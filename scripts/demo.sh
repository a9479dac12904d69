#!/usr/bin/env bash
# The main job from start to table: installs, builds, prepares data, trains a teacher, distils students in two mismatch
# scenarios with three seeds, and prints mean ± std. Run again, it goes on where it was.
#
#   scripts/demo.sh                  on a small synthetic corpus (about 10 minutes on 2 cores after the build)
#   scripts/demo.sh --data DIR       on recordings: DIR/clean, DIR/noise, DIR/vbd_test/{clean,noisy}, DIR/manifest.csv
#   scripts/demo.sh --fast           a check that everything works (about 2 minutes); its figures mean nothing
#   scripts/demo.sh --out DIR        where corpus, runs and results go (default: demo)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

data=
out=demo
fast=false
while (($#)); do
  case $1 in
    --data) data=${2:?--data needs a folder}; shift 2 ;;
    --out) out=${2:?--out needs a folder}; shift 2 ;;
    --fast) fast=true; shift ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "demo: unknown argument '$1'; see --help" >&2; exit 2 ;;
  esac
done
if [ -n "$data" ]; then
  for part in clean noise vbd_test/clean vbd_test/noisy manifest.csv; do
    [ -e "$data/$part" ] || { echo "demo: $data/$part is missing" >&2; exit 2; }
  done
fi

scripts/setup.sh
cmake --preset release -DLIMBECK_TESTS="${LIMBECK_TESTS:-OFF}" \
  ${LIMBECK_WERROR:+"-DLIMBECK_WERROR=$LIMBECK_WERROR"} >/dev/null
cmake --build --preset release -j "${JOBS:-$(nproc)}"
bin=$PWD/build/release/bin
start=$SECONDS

settings=()
if [ -z "$data" ]; then
  data=$out/corpus
  minutes=12
  speakers=48
  if $fast; then minutes=2; speakers=16; fi
  [ -e "$data/manifest.csv" ] || "$bin/limbeck-prepare" synthetic --out "$data" --minutes $minutes --speakers $speakers
  settings+=(configs/demo/synthetic.yaml)
  # The synthetic voices are easier to learn than real ones, and the whole demo is to take ten minutes.
  settings+=(--set teachers.t.train.steps=300 --set teachers.t.train.validate_every=100)
  for scenario in 0 1; do
    settings+=(--set "scenarios.$scenario.student.train.steps=250" --set "scenarios.$scenario.student.train.validate_every=125")
  done
else
  settings+=(configs/demo/recordings.yaml)
fi
if $fast; then settings+=(configs/demo/fast.yaml); fi

mkdir -p "$out"
"$bin/limbeck-prepare" recordings "$data/clean" --out "$out/speech.csv" --splits "$data/manifest.csv"
"$bin/limbeck-prepare" recordings "$data/noise" --out "$out/noise.csv" --splits "$data/manifest.csv"
"$bin/limbeck-prepare" pairs --clean "$data/vbd_test/clean" --noisy "$data/vbd_test/noisy" --out "$out/test.csv"

"$bin/limbeck-study" configs/study/demo.yaml "${settings[@]}" \
  --set "study.dir='$out/study'" \
  --set "study.sets.0.manifest='$out/test.csv'" \
  --set "overrides.data.source.speech='$out/speech.csv'" \
  --set "overrides.data.source.noise='$out/noise.csv'"

cat <<TEXT

Done in $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s after the build.
  table      $out/study/table.md
  results    $out/study/results.csv, summary.json, figures/
  teacher    $out/study/teachers/t
  students   $out/study/runs/<scenario>/<method>/seed-<n>
  scores     <run>/eval/vbd_test/per_utterance.csv
  logs       $out/study/logs; limbeck-study status $out/study tells how it stands
TEXT
