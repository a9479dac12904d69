#!/usr/bin/env bash
# Folders, recordings and tables as others leave them. Usage: foreign_data.sh BIN_DIR SOURCE_DIR
set -euo pipefail
bin=$1
source=$2
cd "$source"
. tests/integration/expect.sh

make_corpus "$bin" 1
prepare=(timeout -k 5 120 "$bin/limbeck-prepare")
clean=$work/corpus/clean
listed=$(wc -l <"$work/clean.csv")

# Rings of links, a pipe, and what cannot be read beside what can.
cp -r "$clean" "$work/odd"
ln -s .. "$work/odd/up"
ln -s . "$work/odd/here"
ln -s ring.wav "$work/odd/ring.wav"
mkfifo "$work/odd/pipe.wav"
touch "$work/odd/a.m4a" "$work/odd/b.M4A"
expect 5 "passed over 2 .m4a" "${prepare[@]}" recordings "$work/odd" --out "$work/odd.csv"
for text in "links lead to folders" "odd/pipe.wav: is a pipe or a device" "odd/ring.wav: "; do
  grep -qF "$text" "$work/output" || fail "nothing is said of '$text'"
done
find "$work/odd" -name pipe.wav -delete
expect 5 "" "${prepare[@]}" recordings "$work/odd" --out "$work/odd.csv" # "up" holds the corpus, too
[ "$(grep -c ',odd/' "$work/odd.csv")" = $((listed - 1)) ] || fail "recordings are listed more or less than once"

# Tables of other kinds.
iconv -f UTF-8 -t UTF-16 "$work/clean.csv" >"$work/utf16.csv"
tr , ';' <"$work/clean.csv" >"$work/semicolons.csv"
cp "$work/clean.csv" "$work/CLEAN.CSV"
mkfifo "$work/pipe.csv"
expect 3 "is UTF-16 text" "${prepare[@]}" doctor "$work/utf16.csv"
expect 3 "columns are separated by ';'" "${prepare[@]}" doctor "$work/semicolons.csv"
expect 3 "is a pipe or a device, not a file" "${prepare[@]}" doctor "$work/pipe.csv"
expect 0 "sound" "${prepare[@]}" doctor "$work/CLEAN.CSV"

# Two folders of one name; files drawn.
mkdir -p "$work/A" "$work/B"
cp -r "$clean" "$work/A/clean"
cp -r "$clean" "$work/B/clean"
expect 0 "" "${prepare[@]}" recordings "$work/A/clean" "$work/B/clean" --out "$work/both.csv"
grep -q '^A/clean/' "$work/both.csv" || fail "ids do not tell the folders apart"
expect 0 "cuts of one recording" "${prepare[@]}" recordings "$work/corpus/noise" --out "$work/drawn.csv" \
  --speaker none --split-by file --valid 2 --test 3
[ "$(grep -c ',valid,' "$work/drawn.csv") $(grep -c ',test,' "$work/drawn.csv")" = "2 3" ] || fail "2 and 3 files"

# What the recordings need made of them.
expect 2 "--audio-out" "${prepare[@]}" recordings "$clean" --out "$work/at8.csv" --rate 8000 --resample
expect 0 "" "${prepare[@]}" recordings "$clean" --out "$work/at8.csv" --rate 8000 --resample --channel mix \
  --audio-out "$work/at8"
expect 0 "sound" "${prepare[@]}" doctor "$work/at8.csv"
expect 2 "neither a channel's number, from 0, nor mix" "${prepare[@]}" recordings "$clean" --out "$work/at8.csv" \
  --channel left --audio-out "$work/at8"
for rate in 0 -1 1 99999999999; do
  expect 2 "--rate" "${prepare[@]}" recordings "$clean" --out "$work/none.csv" --rate "$rate"
done

# Files of two channels: hiss, and a voice of a kind.
evaluate=(timeout -k 5 120 "$bin/limbeck-evaluate" --device cpu --jobs 1 --metrics si_sdr)
python3 - "$work/stereo" <<'END'
import array, math, os, random, sys, wave
random.seed(1)
def put(side, name, noise):
    os.makedirs(f"{sys.argv[1]}/{side}", exist_ok=True)
    both = array.array("h")
    for i in range(16000):
        both.append(random.randrange(-3000, 3000))
        both.append(int(9000 * math.sin(i / 9)) + random.randrange(-noise, noise))
    with wave.open(f"{sys.argv[1]}/{side}/{name}.wav", "wb") as file:
        file.setparams((2, 2, 16000, 0, "NONE", ""))
        file.writeframes(both.tobytes())
for name in "a", "b":
    put("clean", name, 1)
    put("made", name, 900)
END
stereo=("${evaluate[@]}" --clean "$work/stereo/clean" --estimate "$work/stereo/made")
expect 3 "has 2 channels where one was expected; limbeck-evaluate --channel" "${stereo[@]}" --out "$work/none" --check
expect 3 "has 2 channels where one was expected; limbeck-evaluate --channel" "${stereo[@]}" --out "$work/none"
expect 2 "channel: 'left' is neither a channel's number, from 0, nor mix" "${stereo[@]}" --out "$work/scored" --channel left
expect 0 "| made " "${stereo[@]}" --out "$work/scored" --channel 1
awk -F, 'NR > 1 && $4 < 15 { exit 1 }' "$work/scored/per_utterance.csv" || fail "the hiss was scored"
expect 2 'fit.channel: "1" → mix' "${stereo[@]}" --out "$work/scored" --channel mix
expect 3 "has no channel 2: it has 2, counted from 0" "${stereo[@]}" --out "$work/third" --channel 2

# A recording that takes more memory than there is costs no other its scores, nor a measurement.
mkdir -p "$work/long"
python3 - "$work/long/a_long.wav" <<'END'
import struct, sys
count = 2 * 16000 * 6 * 3600  # six hours of silence, which take no room on the disk
with open(sys.argv[1], "wb") as file:
    file.write(b"RIFF" + struct.pack("<I", count + 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16))
    file.write(b"data" + struct.pack("<I", count))
    file.truncate(44 + count)
END
zeros=$(printf '0%.0s' {1..32})
{ head -n 1 "$work/test.csv"; echo "a_long,long/a_long.wav,long/a_long.wav,x,test,172800000,16000,$zeros,$zeros"
  tail -n +2 "$work/test.csv"; } >"$work/with_long.csv"
head -n 1 "$work/test.csv" | grep -qx "id,clean,noisy,speaker,split,samples,rate,clean_hash,noisy_hash" || fail "columns of test.csv"
model=("${evaluate[@]}" --model models/student_25k/model.safetensors)
under() { (ulimit -v "$1" && shift && exec "$@"); }
limit=$((1 << 19)) # KiB
until under $limit "${model[@]}" --manifest "$work/test.csv" --out "$work/fits" >"$work/output" 2>&1; do
  rm -rf "$work/fits"
  limit=$((limit + (1 << 18)))
  [ $limit -le $((1 << 24)) ] || break # as with sanitizers, which take more than they use
done
if [ $limit -le $((1 << 24)) ]; then
  limit=$((limit + (1 << 17)))
  one_lost() { # one_lost FOLDER COMMAND...
    local out=$1
    shift
    expect 5 "a_long.wav: lasts 6 h 00 min, which takes more memory than there is" under $limit "$@" --out "$out"
    [ "$(wc -l <"$out/failures.csv")" = 2 ] || fail "a_long is not the one failure in $out"
    [ "$(wc -l <"$out/per_utterance.csv")" = "$(wc -l <"$work/test.csv")" ] || fail "not all others are scored in $out"
  }
  one_lost "$work/by_model" "${model[@]}" --manifest "$work/with_long.csv"
  cmp "$work/by_model/per_utterance.csv" "$work/fits/per_utterance.csv" || fail "scores differ beside a long recording"
  cp -r "$work/corpus/vbd_test" "$work/folders"
  for side in clean noisy; do ln -s "$work/long/a_long.wav" "$work/folders/$side/a_long.wav"; done
  one_lost "$work/by_folder" "${evaluate[@]}" --clean "$work/folders/clean" --estimate "$work/folders/noisy"
  expect 5 "1 of $(($(wc -l <"$work/with_long.csv") - 1)) entries could not be read" \
    under $limit "${prepare[@]}" stats "$work/with_long.csv" --threads 1
else
  echo "memory cannot be limited here: what takes too much of it is not looked at"
fi
