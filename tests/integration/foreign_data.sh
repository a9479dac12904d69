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

