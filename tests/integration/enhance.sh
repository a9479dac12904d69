#!/usr/bin/env bash
# limbeck-enhance as a user meets it: folders, refusals, pipes, an interrupt, and the scores of what it makes.
# Usage: enhance.sh BIN_DIR SOURCE_DIR
set -euo pipefail
bin=$1
source=$2
cd "$source"
. tests/integration/expect.sh

make_corpus "$bin" 1
"$bin/limbeck-pretrain" configs/pretrain/demo_student.yaml --threads 1 --quiet --set "data.source.speech=$work/clean.csv" \
  --set "data.source.noise=$work/noise.csv" --set data.segment_seconds=0.5 --set data.valid_count=2 \
  --set data.valid_segment_seconds=1 --set train.batch_size=2 --set train.steps=4 --set train.validate_every=4 \
  --set "run.dir=$work/student"
enhance=("$bin/limbeck-enhance" --model "$work/student")
noisy=$work/corpus/vbd_test/noisy
some=$(find "$noisy" -type f | sort | head -n 1)

# samples FILE: those of a WAV, whatever its header says of its length.
cat >"$work/samples.py" <<'END'
import sys
data = open(sys.argv[1], "rb").read()
sys.stdout.buffer.write(data[data.index(b"data") + 8:])
END
samples() { python3 "$work/samples.py" "$1"; }

# What comes out of files has the scores of the model.
"${enhance[@]}" "$noisy" --out "$work/clean" --jobs 1 --json >"$work/summary.json" 2>"$work/log"
score=("$bin/limbeck-evaluate" --manifest "$work/test.csv" --metrics si_sdr,stoi,pesq_wb --quiet)
"${score[@]}" --model "$work/student" --out "$work/by-model" >/dev/null
"${score[@]}" --estimate "$work/clean" --out "$work/by-files" >/dev/null
python3 - "$work" "$noisy" <<'END' || fail "scores or summary"
import csv, json, pathlib, sys
work, noisy = map(pathlib.Path, sys.argv[1:])
def rows(folder):
    return {row["id"]: row for row in csv.DictReader(open(work / folder / "per_utterance.csv"))}
model, files = rows("by-model"), rows("by-files")
assert model.keys() == files.keys() and model, (len(model), len(files))
for metric in ("si_sdr", "stoi", "pesq_wb"):
    # Files have 16 bits, to which PESQ hearkens where there is next to nothing else.
    differences = [float(files[name][metric]) - float(row[metric]) for name, row in model.items()]
    assert abs(sum(differences) / len(differences)) <= 1e-3, (metric, differences)
    assert max(map(abs, differences)) <= 5e-3, (metric, differences)
summary = json.loads((work / "summary.json").read_text())
assert summary["failed"] == summary["existing"] == []
assert len(summary["files"]) == summary["totals"]["files"] == len(model)
assert abs(sum(file["seconds"] for file in summary["files"]) - summary["totals"]["seconds"]) < 1e-6
for file in summary["files"]:
    assert file["rate_hz"] == 16000 and file["channels"] == 1 and pathlib.Path(file["output"]).is_file(), file
    assert pathlib.Path(file["input"]).relative_to(noisy) == pathlib.Path(file["output"]).relative_to(work / "clean")
END
grep -q "x real time" "$work/log" || { cat "$work/log" >&2; fail "no summary"; }
"${enhance[@]}" "$noisy" --out "$work/clean3" --jobs 3 --quiet >"$work/output" 2>&1
[ ! -s "$work/output" ] || { cat "$work/output" >&2; fail "--quiet says something"; }
diff -r "$work/clean" "$work/clean3" || fail "--jobs changes results"

# A folder with structure, types and odd files; what is bad is listed, the rest is done.
mixed=$work/mixed
mkdir -p "$mixed/a/b" "$mixed/clean"
"${enhance[@]}" "$some" --mix 0 --format wav --out "$mixed" --quiet
"${enhance[@]}" "$some" --mix 0 --format flac --out "$mixed/a" --quiet
"${enhance[@]}" "$some" --mix 0 --format ogg --out "$mixed/a/b" --quiet
"${enhance[@]}" "$some" --mix 0 --format aiff --out "$mixed/a/b" --quiet
name=$(basename "${some%.*}")
head -c 3000 "$mixed/$name.wav" >"$mixed/torn.wav"
cp "$mixed/$name.wav" "$mixed/clean/not-to-be-read.wav"
echo text >"$mixed/notes.txt"
mkfifo "$mixed/pipe.wav"
ln -s ../.. "$mixed/a/b/ring"
expect 5 "torn.wav: " "${enhance[@]}" "$mixed" --out "$mixed/clean" --json
grep -q "passed over in folders: 1 .txt, 1 no regular file" "$work/output" || { cat "$work/output" >&2; fail "what is passed over"; }
[ "$(cd "$mixed/clean" && find . -type f | LC_ALL=C sort | xargs)" = \
  "./a/b/$name.aiff ./a/b/$name.ogg ./a/$name.flac ./not-to-be-read.wav ./$name.wav" ] || fail "$(find "$mixed/clean")"
expect 2 "4 of 5 results exist; --skip-existing" "${enhance[@]}" "$mixed" --out "$mixed/clean"
expect 5 "4 skipped" "${enhance[@]}" "$mixed" --out "$mixed/clean" --skip-existing
expect 3 "torn.wav: " "${enhance[@]}" "$mixed/torn.wav" --out "$work/none"
[ ! -e "$work/none" ] || fail "a folder for nothing"

# What lies above the network's band is dropped or follows; a limit of 0 dB is the recording as it is.
python3 - "$work/wide.wav" <<'END'
import random, struct, sys, wave
random.seed(19)
with wave.open(sys.argv[1], "wb") as file:
    file.setparams((1, 2, 48000, 0, "NONE", ""))
    file.writeframes(b"".join(struct.pack("<h", random.randrange(-9000, 9000)) for _ in range(2 * 48000)))
END
for made in drop "follow --high-band follow" "limit --limit-db 12" "none --limit-db 0" "dry --mix 0"; do
  "${enhance[@]}" "$work/wide.wav" ${made#${made%% *}} --out "$work/made/${made%% *}" --quiet
done
cmp "$work/made/none/wide.wav" "$work/made/dry/wide.wav" || fail "--limit-db 0 is not --mix 0"
samples "$work/wide.wav" >"$work/wide.raw"
samples "$work/made/dry/wide.wav" | cmp - "$work/wide.raw" || fail "--mix 0 changes samples"
python3 - "$work" <<'END' || fail "--high-band or --limit-db"
import array, sys, wave
def read(name):
    with wave.open(f"{sys.argv[1]}/made/{name}/wide.wav", "rb") as file:
        return array.array("h", file.readframes(file.getnframes()))
def above(x):  # mostly what lies far above 8 kHz
    return sum((x[i] - 2 * x[i + 1] + x[i + 2]) ** 2 for i in range(len(x) - 2))
dry, drop, follow, limit = map(read, ("dry", "drop", "follow", "limit"))
assert len(dry) == len(drop) == len(follow) == len(limit) == 2 * 48000
assert above(follow) > 2 * above(drop), (above(follow), above(drop))
share = 1 - 10 ** (-12 / 20)
assert drop != limit and all(abs(x - (share * y + (1 - share) * z)) < 2 for x, y, z in zip(limit, drop, dry))
END

# Nothing that is read is ever replaced.
before=$(sha256sum "$mixed/$name.wav")
expect 2 "is the folder that is read" "${enhance[@]}" "$mixed" --out "$mixed" --force
expect 2 "would replace it" "${enhance[@]}" "$mixed/$name.wav" --out "$mixed" --force
expect 2 "is read, and standard output writes to it" sh -c '"$0" "$@" >>"'"$mixed/$name.wav"'"' "${enhance[@]}" "$mixed/$name.wav" --out -
[ "$before" = "$(sha256sum "$mixed/$name.wav")" ] || fail "an input was replaced"
expect 2 "--out is required" "${enhance[@]}" "$some"
expect 2 "is to be a folder" "${enhance[@]}" "$some" --out "$work/one.wav"
expect 2 "known: wav" "${enhance[@]}" "$some" --out "$work/none" --format shorten
expect 2 "--mix" "${enhance[@]}" "$some" --out "$work/none" --mix 1.5
expect 3 "$work/nothing: no such" "$bin/limbeck-enhance" --model "$work/nothing" "$some" --out "$work/none"

# Pipes: WAV and raw samples, of the same bits as by files.
file=$mixed/$name.wav
samples "$mixed/clean/$name.wav" >"$work/expected.raw"
cat "$file" | "${enhance[@]}" - --quiet >"$work/piped.wav"
samples "$work/piped.wav" | cmp - "$work/expected.raw" || fail "standard input gives something else"
"${enhance[@]}" - --out - --quiet <"$file" >"$work/piped.wav"
samples "$work/piped.wav" | cmp - "$work/expected.raw" || fail "a file as standard input gives something else"
"${enhance[@]}" "$file" --out - --quiet | cat >"$work/piped.wav"
samples "$work/piped.wav" | cmp - "$work/expected.raw" || fail "standard output gets something else"
samples "$file" | "${enhance[@]}" - --raw 16000,1,s16 --quiet | cmp - "$work/expected.raw" || fail "raw samples give something else"
expect 2 "is not RATE,CHANNELS,FORMAT" "${enhance[@]}" - --raw 16000 --out - </dev/null
expect 2 "known: s16, s24, s32, f32" "${enhance[@]}" - --raw 16000,1,s8 </dev/null
expect 2 "--jobs" "${enhance[@]}" - --jobs 2 <"$file"
expect 2 "--force and --skip-existing are for files" "${enhance[@]}" "$file" --out - --force
expect 3 "standard input: " "${enhance[@]}" - <<<"no audio at all, and no header of any"
if command -v sox >/dev/null; then
  sox -D "$file" -r 48000 -c 2 "$work/stereo.wav"
  sox "$work/stereo.wav" -t wav - | "${enhance[@]}" - --link --quiet | sox -t wav --ignore-length - "$work/stereo-clean.wav"
  [ "$(soxi -r "$work/stereo-clean.wav") $(soxi -c "$work/stereo-clean.wav") $(soxi -s "$work/stereo-clean.wav")" = \
    "48000 2 $(soxi -s "$work/stereo.wav")" ] || fail "rate, channels or length after sox"
  expect 0 "1 of 1 recordings go beyond 8000 Hz" "${enhance[@]}" "$work/stereo.wav" --out "$work/wide"
  sox -D "$work/wide/stereo.wav" "$work/left.wav" remix 1
  sox -D "$work/wide/stereo.wav" "$work/right.wav" remix 2
  sox -D "$file" -e mu-law "$work/companded.wav"
  "${enhance[@]}" "$work/companded.wav" --out - --quiet | sox -t wav --ignore-length - "$work/plain.wav"
  [ "$(soxi -b "$work/plain.wav") $(soxi -s "$work/plain.wav")" = "16 $(soxi -s "$file")" ] || fail "mu-law into a pipe"
  cmp "$work/left.wav" "$work/right.wav" || fail "two equal channels come out different"
else
  echo "sox is not installed: pipes with it are not looked at"
fi

# What is read comes out while more is to come, and a reader that leaves ends it without a crash.
python3 - "${enhance[@]}" - --raw 16000,1,s16 --quiet <<'END' || fail "nothing comes out before all is in"
import os, select, subprocess, sys, time
with subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
    child.stdin.write(bytes(2 * 32000))
    child.stdin.flush()
    got, end = 0, time.monotonic() + 60
    while got < 32000 and time.monotonic() < end:
        if select.select([child.stdout], [], [], 1)[0]:
            got += len(os.read(child.stdout.fileno(), 65536))
    assert got >= 32000, got
    child.stdin.close()
    got += len(child.stdout.read())
assert child.returncode == 0 and got == 2 * 32000, (child.returncode, got)
# A WAV of known length ends with its last sample, though who writes it waits for the result before it closes the pipe.
count = 20001
head = b"RIFF" + (36 + 2 * count).to_bytes(4, "little") + b"WAVEfmt " + bytes.fromhex("10000000 01000100 803e0000 007d0000 02001000")
plain = [argument for argument in sys.argv[1:] if argument not in ("--raw", "16000,1,s16")]
with subprocess.Popen(plain, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
    child.stdin.write(head + b"data" + (2 * count).to_bytes(4, "little") + bytes(2 * count))
    child.stdin.flush()
    got, end = 0, time.monotonic() + 60
    while got < 44 + 2 * count and time.monotonic() < end:
        if select.select([child.stdout], [], [], 1)[0]:
            got += len(os.read(child.stdout.fileno(), 65536))
    child.stdin.close()
    assert got == 44 + 2 * count, got
assert child.returncode == 0, child.returncode
# An interrupt is the end of the input: what came in comes out.
with subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
    child.stdin.write(bytes(2 * 32000))
    child.stdin.flush()
    got = len(child.stdout.read(32000))
    child.send_signal(2)
    got += len(child.stdout.read())
assert child.returncode == 130 and got == 2 * 32000, (child.returncode, got)
END
python3 - "$work/long.wav" <<'END'
import sys, wave
with wave.open(sys.argv[1], "wb") as file:
    file.setparams((1, 2, 16000, 0, "NONE", ""))
    file.writeframes(bytes((i * 7919 >> 3) & 255 for i in range(2 * 16000 * 60)))
END
code=0
{ "${enhance[@]}" "$work/long.wav" --out - 2>"$work/output" || echo $? >"$work/code"; } | head -c 1000 >/dev/null
code=$(cat "$work/code")
[ "$code" = 3 ] && grep -q "standard output: cannot be written: Broken pipe" "$work/output" ||
  { cat "$work/output" >&2; fail "exit code $code where nobody reads on"; }

# An interrupt leaves whole files only; the same command does the rest, and all are as without it.
"${enhance[@]}" "$work/long.wav" --out "$work/uncut" --quiet
mkdir "$work/many"
for i in $(seq 12); do cp "$work/long.wav" "$work/many/$i.wav"; done
"${enhance[@]}" "$work/many" --out "$work/cut" --jobs 2 >"$work/output" 2>&1 &
child=$!
for _ in $(seq 600); do
  [ -n "$(find "$work/cut" -name '*.wav' ! -name '.*' 2>/dev/null)" ] && break
  sleep 0.05
done
kill -INT $child
code=0
wait $child || code=$?
[ $code = 130 ] || { cat "$work/output" >&2; fail "exit code $code after SIGINT, expected 130"; }
grep -q "of 12 recordings done, which are whole; --skip-existing does the rest" "$work/output" ||
  { cat "$work/output" >&2; fail "nothing is said of the rest"; }
[ -z "$(find "$work/cut" -name '.*' -type f)" ] || fail "half-written files are left: $(find "$work/cut")"
expect 0 "skipped, as their results exist" "${enhance[@]}" "$work/many" --out "$work/cut" --skip-existing
[ "$(find "$work/cut" -type f | wc -l)" = 12 ] || fail "$(find "$work/cut")"
for i in $(seq 12); do cmp "$work/cut/$i.wav" "$work/uncut/long.wav" || fail "an interrupted file"; done
# The student that comes with the project: its commands are understood, and where the recordings of its card are at hand, it has the scores of the card.
shipped=models/student_25k
expect 0 "lookahead_frames: 0" "$bin/limbeck-distill" $shipped/student.yaml --dump-config
expect 0 "lookahead_frames: 4" "$bin/limbeck-pretrain" $shipped/teacher.yaml --dump-config
expect 0 "DATA MORE" $shipped/train.sh --help
expect 0 "1 recordings" "$bin/limbeck-enhance" --model $shipped "$some" --out "$work/shipped"
expect 0 "25.1 k |   27.7 |" "$bin/limbeck-bench" model $shipped/student.yaml
pairs=${LIMBECK_SHARED_DATA:-}/vbd_test
if [ -d "$pairs" ]; then
  "$bin/limbeck-prepare" pairs --clean "$pairs/clean" --noisy "$pairs/noisy" --out "$work/pairs.csv" >/dev/null
  "$bin/limbeck-evaluate" --model $shipped --manifest "$work/pairs.csv" --metrics pesq_wb,stoi,si_sdr --out "$work/card" --quiet >/dev/null
  python3 - "$work/card/summary.json" $shipped/README.md <<'END' || fail "the card of $shipped says something else"
import json, sys
scores = json.load(open(sys.argv[1]))["metrics"]
rows = [line.split("|") for line in open(sys.argv[2], encoding="utf-8") if "| this model |" in line]
card = [float(cell) for cell in rows[0][3:12]]
for metric, said, most in (("pesq_wb", card[0], 2e-3), ("stoi", card[5], 2e-4), ("si_sdr", card[7], 2e-2)):
    assert abs(scores[metric]["mean"] - said) <= most, (metric, scores[metric]["mean"], said)
END
else
  echo "LIMBECK_SHARED_DATA is not set: the scores of $shipped are not looked at"
fi
echo "all checks of limbeck-enhance passed"
