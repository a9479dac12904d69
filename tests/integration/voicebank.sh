#!/usr/bin/env bash
# VoiceBank-DEMAND as a user gets it, on a made-up set of its layout: downloaded, prepared, interrupted and gone on with,
# broken and mended, checked, measured, and taken by every ready configuration. Usage: voicebank.sh BIN_DIR SOURCE_DIR
set -euo pipefail
bin=$(cd "$1" && pwd)
source=$(cd "$2" && pwd)
prepare=$bin/limbeck-prepare
cd "$source"
. tests/integration/expect.sh
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

same() { # folders that hold the same, but for the journal's order
  diff -r --exclude=journal.csv --exclude=lock "$1" "$2" || fail "$1 and $2 differ"
  diff <(sort "$1/journal.csv") <(sort -u "$2/journal.csv") || fail "the journals differ"
}

# Command one: download.
web=$work/web
python3 tests/integration/make_voicebank.py "$web/files" --pairs 8 --seconds 1.5
for zip in "$web"/files/*.zip; do
  echo "$(basename "$zip") $(md5sum <"$zip" | cut -d' ' -f1) 1 -"
done >"$work/table"
python3 tests/integration/file_server.py "$web" &
server=$!
for _ in $(seq 200); do [ -e "$web/port" ] && break; sleep 0.05; done
zips=$work/zips
echo "/bitstream/handle/10283/2791/noisy drop 100000" >"$web/script"
port=$(cat "$web/port")
expect 0 "all 5 files are whole" env LIMBECK_VBD_URL="http://127.0.0.1:$port" LIMBECK_VBD_FILES="$work/table" \
  no_proxy=127.0.0.1 scripts/download_voicebank_demand.sh --wait 0 "$zips"
kill "$server"
server=

# Command two: prepare. It is no whole set, which has to be said.
expect 3 "clean_trainset_28spk_wav.zip and noisy_trainset_28spk_wav.zip: have 32 pairs of this set, where 11572 are published" \
  "$prepare" voicebank-demand --source "$zips" --out "$work/once"
[ ! -e "$work/once" ] || fail "a set that was refused left a folder"
expect 0 "protocol.yaml locks a PARTIAL set: train 16 of 10802, valid 16 of 770, test 16 of 824" \
  "$prepare" voicebank-demand --source "$zips" --out "$work/once" --allow-partial --jobs 2
[ "$(find "$work/once" -name '*.flac' | wc -l)" = 96 ] || fail "number of files"
head -n 2 "$work/once/test.csv" | tail -n 1 | grep -qE '^p232_001,test/clean/p232_001.flac,test/noisy/p232_001.flac,p232,test,[0-9]+,16000,' ||
  fail "test.csv"
expect 0 "0 pairs converted, 48 kept" "$prepare" voicebank-demand --source "$zips" --out "$work/once" --allow-partial

# Interrupted, or killed, it goes on, to the same files.
for signal in INT KILL; do
  rm -rf "$work/cut"
  "$prepare" voicebank-demand --source "$zips" --out "$work/cut" --allow-partial --jobs 1 >"$work/output" 2>&1 &
  child=$!
  for _ in $(seq 2000); do
    [ "$(wc -l 2>/dev/null <"$work/cut/journal.csv" || echo 0)" -ge 4 ] && break
    sleep 0.01
  done
  kill -s $signal $child
  [ $signal = INT ] && wanted=130 || wanted=137
  code=0
  wait $child || code=$?
  [ $code = $wanted ] || { cat "$work/output" >&2; fail "exit code $code after SIG$signal, expected $wanted"; }
  [ ! -e "$work/cut/protocol.yaml" ] || fail "half a set was locked"
  done_before=$(($(wc -l <"$work/cut/journal.csv") - 1))
  ((done_before >= 3 && done_before < 48)) || fail "$done_before pairs were done at SIG$signal"
  expect 0 "of 48 pairs are there already" "$prepare" voicebank-demand --source "$zips" --out "$work/cut" --allow-partial
  same "$work/once" "$work/cut"
done

# Unpacked, the same comes of it. Broken, each file is named and the rest is prepared.
folders=$work/folders
python3 tests/integration/make_voicebank.py "$folders" --pairs 8 --seconds 1.5 --folders
expect 0 "48 pairs converted" "$prepare" voicebank-demand --source "$folders" --out "$work/unpacked" --allow-partial
diff -r --exclude=journal.csv --exclude=lock "$work/once" "$work/unpacked" || fail "zips and folders differ"
clean=$folders/clean_trainset_28spk_wav
noisy=$folders/noisy_trainset_28spk_wav
truncate -s -5000 "$clean/p226_003.wav"
cp "$noisy/p227_001.wav" "$noisy/p227_002.wav" # 8.6 ms longer: cut
cp "$noisy/p227_001.wav" "$noisy/p227_003.wav"
rm -rf "$work/broken"
expect 5 "$clean/p226_003.wav: is cut short" "$prepare" voicebank-demand --source "$folders" --out "$work/broken" --allow-partial
grep -qF "$clean/p227_003.wav: has " "$work/output" || fail "unequal lengths are not named"
grep -qF "$work/broken/train/noisy/p227_002.flac: by 137 samples" "$work/output" || fail "the pair that is cut is not named"
[ "$(wc -l <"$work/broken/failures.csv")" = 3 ] || fail "failures.csv"
[ "$(wc -l <"$work/broken/train.csv")" = 16 ] || fail "the rest is not prepared"
head -c -1000 "$zips/noisy_testset_wav.zip" >"$work/torn" && cp -r "$zips" "$work/torn_zips" &&
  mv "$work/torn" "$work/torn_zips/noisy_testset_wav.zip"
expect 5 "noisy_testset_wav.zip: cannot be read as a zip file" \
  "$prepare" voicebank-demand --source "$work/torn_zips" --out "$work/without_test" --allow-partial

# Checked again at any time.
vbd=$work/once
expect 0 "sound: 48 entries, 96 files" "$prepare" doctor "$vbd"
expect 0 "sound: 16 entries" "$prepare" doctor "$vbd/valid.csv"
cp -r "$vbd" "$work/sick"
rm "$work/sick/test/clean/p257_004.flac"
expect 5 "WRONG $work/sick/test/clean/p257_004.flac: does not exist" "$prepare" doctor "$work/sick"
sed -i 's/,p227,train,/,p228,train,/' "$work/sick/train.csv"
expect 3 "WRONG $work/sick/train.csv: changed since" "$prepare" doctor "$work/sick"
expect 3 "holds no protocol.yaml" "$prepare" doctor "$work"
expect 3 "does not exist" "$prepare" doctor "$work/nothing"

# Measured.
expect 0 "SNR of test in dB" "$prepare" stats "$vbd/test.csv"
grep -qE '^\| test +\| +16 \| +2 \|' "$work/output" || fail "table of durations"
"$prepare" stats "$vbd/train.csv" --json --quiet | python3 -c '
import json, sys
stats = json.load(sys.stdin)
split, = stats["splits"]
assert (split["split"], split["files"], split["speakers"]) == ("train", 16, 2), split
assert 10 < split["seconds"] < 24, split["seconds"]
assert sum(b["pairs"] for b in split["snr_histogram"]) == 16, split["snr_histogram"]
assert [s["side"] for s in split["sides"]] == ["clean", "noisy"]
' || fail "stats --json"
expect 5 "could not be read and are counted nowhere" "$prepare" stats "$work/sick/test.csv"
expect 3 "none.csv: cannot be read" "$prepare" stats "$work/none.csv"

# The ready configurations fit, and a run says that its set is a part.
locked=("--set" "data.source.file=$vbd/protocol.yaml")
tiny=("${locked[@]}" --threads 1 --set train.steps=2 --set train.batch_size=1 --set data.valid_count=2
  --set data.segment_seconds=0.5 --set data.valid_segment_seconds=0.5 --set train.validate_every=2)
for config in configs/pretrain/voicebank_demand*.yaml; do
  expect 0 "configuration is sound" "$bin/limbeck-pretrain" "$config" "${locked[@]}" --check
done
expect 0 "partial set: train 16 of 10802, valid 16 of 770, test 16 of 824 (voicebank-demand)" \
  "$bin/limbeck-pretrain" configs/pretrain/voicebank_demand_teacher.yaml "${tiny[@]}" --set "run.dir=$work/teacher"
for config in configs/distill/voicebank_demand*.yaml; do
  expect 0 "configuration is sound" "$bin/limbeck-distill" "$config" "${locked[@]}" \
    --set "teacher.checkpoint=$work/teacher" --check
done
for config in configs/evaluate/voicebank_demand*.yaml; do
  expect 0 "configuration is sound" "$bin/limbeck-evaluate" "$config" --set "model=$work/teacher" \
    --set "protocol=$vbd/protocol.yaml" --set "out=$work/scores" --check
done
for config in configs/study/voicebank_demand*.yaml configs/study/mismatch.yaml; do
  expect 0 "configuration is sound" "$bin/limbeck-study" "$config" --set "study.sets.0.protocol=$vbd/protocol.yaml" \
    --set "overrides.data.source.file=$vbd/protocol.yaml" --set "study.dir=$work/study" --check
done
[ ! -e "$work/scores" ] && [ ! -e "$work/study" ] || fail "--check left something"
echo "all VoiceBank-DEMAND checks passed"
