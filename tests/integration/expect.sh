# For scripts that meet the executables as a user does; to be sourced. Sets `work`, a scratch folder that goes with the
# script.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }
# expect CODE TEXT COMMAND...: the exit code, and a text in what it prints.
expect() {
  local code=$1 text=$2 got=0
  shift 2
  "$@" >"$work/output" 2>&1 || got=$?
  [ "$got" = "$code" ] || { cat "$work/output" >&2; fail "exit code $got, expected $code: $*"; }
  grep -qF -- "$text" "$work/output" || { cat "$work/output" >&2; fail "no '$text' from: $*"; }
}
# make_corpus BIN_DIR MINUTES: a synthetic corpus in $work/corpus, listed in clean.csv and noise.csv (to train on) and
# test.csv (pairs to score on).
make_corpus() {
  local prepare=$1/limbeck-prepare corpus=$work/corpus kind
  "$prepare" synthetic --out "$corpus" --minutes "$2" --speakers 8 --quiet
  for kind in clean noise; do
    "$prepare" recordings "$corpus/$kind" --out "$work/$kind.csv" --splits "$corpus/manifest.csv" --quiet
  done
  "$prepare" pairs --clean "$corpus/vbd_test/clean" --noisy "$corpus/vbd_test/noisy" --out "$work/test.csv" --quiet
}
