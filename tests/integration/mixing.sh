#!/usr/bin/env bash
# Fixed mixtures, rooms, previews and the loader as a user meets them. Usage: mixing.sh BIN_DIR SOURCE_DIR
set -euo pipefail
bin=$1
source=$2
cd "$source"
. tests/integration/expect.sh

prepare=$bin/limbeck-prepare
make_corpus "$bin" 1
mkdir "$work/rooms" # any short sounds will do as impulse responses
for file in "$work"/corpus/noise/*/*_001.flac; do cp "$file" "$work/rooms/$(basename "$file")"; done
config=(configs/pretrain/demo_student.yaml --set "data.source.speech=$work/clean.csv" --set "data.source.noise=$work/noise.csv"
  --set data.segment_seconds=0.5 --set train.batch_size=2 --set "data.source.reverb.responses=$work/rooms"
  --set data.source.snr_db_values=[0,10] --set data.valid_segment_seconds=0)

# Recipes: the same file again, the same audio again, and noticed where a recording is another.
"$prepare" mixtures "${config[@]}" --split valid --count 5 --out "$work/valid.csv" --quiet
"$prepare" mixtures "${config[@]}" --split valid --count 5 --out "$work/again.csv" --quiet --threads 1
cmp "$work/valid.csv" "$work/again.csv" || fail "recipes differ between two calls"
[ "$(wc -l <"$work/valid.csv")" = 6 ] || fail "five recipes"
# Standard output gets the file alone, be it a file, a pipe or a socket.
stdout=("$prepare" mixtures "${config[@]}" --split valid --count 5 --out /dev/stdout)
"${stdout[@]}" 2>"$work/output" >"$work/printed.csv"
grep -q "/dev/stdout: recipes of 5 mixtures" "$work/output" || fail "nothing is said of what was printed"
cmp "$work/valid.csv" "$work/printed.csv" || fail "other recipes in a file on standard output"
"${stdout[@]}" 2>/dev/null | cmp - "$work/valid.csv" || fail "other recipes in a pipe"
python3 - "${stdout[@]}" >"$work/printed.csv" <<'END' || fail "a socket is refused"
import socket, subprocess, sys
ours, theirs = socket.socketpair()
with subprocess.Popen(sys.argv[1:], stdout=theirs, stderr=subprocess.DEVNULL) as child:
    theirs.close()
    with ours.makefile("rb") as file:
        sys.stdout.buffer.write(file.read())
sys.exit(child.returncode)
END
cmp "$work/valid.csv" "$work/printed.csv" || fail "other recipes in a socket"
render=("$prepare" render "$work/valid.csv" --speech "$work/clean.csv" --noise "$work/noise.csv"
  --responses "$work/rooms" --split valid)
expect 0 "5 pairs" "${render[@]}" --out "$work/pairs"
"${render[@]}" --out "$work/pairs2" --quiet --threads 1
diff -r "$work/pairs" "$work/pairs2" || fail "rendered pairs differ between two calls"
expect 3 "is not among the" "${render[@]:0:9}" --split test --out "$work/x"
expect 3 "holds recorded pairs" "$prepare" mixtures configs/pretrain/demo_student.yaml \
  --set "data.source={type: pairs, manifest: $work/pairs/pairs.csv}" --out "$work/x.csv"
expect 2 "--out is required" "$prepare" mixtures "${config[@]}"
expect 0 "data.source.reverb.early_ms" "$prepare" preview --help-config

# No table that is read, and no recording, is replaced by what is written.
cp "$work/clean.csv" "$work/kept.csv"
would="would replace it"
expect 2 "$would" "$prepare" recordings "$work/corpus/clean" --splits "$work/corpus/manifest.csv" --out "$work/corpus/manifest.csv"
expect 2 "has the name of a recording" "$prepare" recordings "$work/corpus/clean" --out "$work/corpus/clean/new.wav"
expect 2 "$would" "$prepare" protocol --name x --train "$work/clean.csv" --noise "$work/noise.csv" --out "$work/clean.csv"
expect 2 "$would" "$prepare" mixtures "${config[@]}" --out "$work/clean.csv"
expect 2 "$would" "$prepare" render "$work/pairs/pairs.csv" "${render[@]:3}" --out "$work/pairs"
cmp "$work/clean.csv" "$work/kept.csv" || fail "a manifest was replaced"

# Recipes that a configuration names are made again.
"$prepare" mixtures "${config[@]}" --set "data.source.valid_recipes=$work/again.csv" --split valid --count 5 --out "$work/again.csv" --quiet
cmp "$work/valid.csv" "$work/again.csv" || fail "other recipes where the configuration names the file"

# They serve as validation set, and as a set to score on.
train=("$bin/limbeck-pretrain" "${config[@]}" --threads 1 --set train.steps=4 --set train.validate_every=4)
: >"$work/rooms/other.m4a"
expect 0 "rooms: passed over 1 .m4a" "${train[@]}" --set "run.dir=$work/checked" --check
rm "$work/rooms/other.m4a"
expect 0 "5 examples for validation" "${train[@]}" --set "data.source.valid_recipes=$work/valid.csv" --set "run.dir=$work/run"
score=("$bin/limbeck-evaluate" --model "$work/run" --metrics si_sdr --out "$work/scores")
expect 3 "of test in valid" "${score[@]}" --manifest "$work/pairs/pairs.csv"
"$prepare" mixtures "${config[@]}" --split test --count 3 --out "$work/test.csv" --quiet
expect 0 "3 pairs" "${render[@]:0:2}" "$work/test.csv" "${render[@]:3:6}" --split test --out "$work/test"
expect 0 "| noisy" "${score[@]}" --manifest "$work/test/pairs.csv"

# The preview.
expect 0 "index.html: 3 examples" "$prepare" preview "${config[@]}" --n 3 --out "$work/preview"
[ "$(find "$work/preview" -type f | wc -l)" = 13 ] || fail "files of the preview"

# Levels leave a DC offset out, and what is silent is named; a split without noise is refused.
python3 - "$work" <<'END'
import pathlib, struct, sys, wave
for name, value in {"silence/a.wav": 0, "silence/b.wav": 0, "offset/a.wav": 3277}.items():
    path = pathlib.Path(sys.argv[1], name)
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", value + 3000 * (value > 0) * (i // 40 % 2)) for i in range(31000 + ord(path.stem))))
END
printf 'file,split\nsilence/a.wav,train\nsilence/b.wav,valid\n' >"$work/splits.csv"
expect 0 "silence/a.wav: is silent" "$prepare" recordings "$work/silence" --out "$work/silence.csv" --splits "$work/splits.csv"
expect 0 "offset/a.wav: has a mean of 0.146" "$prepare" recordings "$work/offset" --out "$work/offset.csv"
expect 0 "offset/a.wav: has a mean of 0.146" "$prepare" stats "$work/offset.csv"
expect 0 "offset/a.wav: has a mean of 0.146" "$prepare" doctor "$work/offset.csv"
expect 3 "of speech in split train nothing is to be heard" "$prepare" doctor "$work/silence.csv"
mute="in all 1 entries of noise in split train nothing is to be heard"
silent=(--set "data.source.noise=$work/silence.csv")
expect 3 "$mute" "${train[@]}" "${silent[@]}" --set "run.dir=$work/mute"
expect 3 "$mute" "$prepare" preview "${config[@]}" "${silent[@]}" --out "$work/mute"
expect 3 "$mute" "$prepare" mixtures "${config[@]}" "${silent[@]}" --split train --out "$work/mute"
[ ! -e "$work/mute" ] || fail "a refused run made its folder"

# The loader: its speed, and a file that cannot be read.
expect 0 '"wait_share"' "$bin/limbeck-bench" data "${config[@]}" --threads 1 --workers 0,1 --seconds 0.2 --steps 10 --json
expect 0 "| workers |" "$bin/limbeck-bench" data "${config[@]}" --threads 1 --workers 2 --seconds 0.2 --steps 10
victim=$(awk -F, 'NR > 1 && /,train,/ {print $2; exit}' "$work/clean.csv")
echo "no audio" >"$work/$victim"
expect 3 "more than 1 % of epoch 0 could not be read" "${train[@]}" --set train.steps=40 --set "run.dir=$work/broken"
grep -qF "$victim: cannot be read as audio" "$work/output" || fail "the unreadable file is not named"
echo "all checks of mixing passed"
