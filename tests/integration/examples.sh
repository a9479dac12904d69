#!/usr/bin/env bash
# Runs the programs of examples/ as their comments say. Usage: examples.sh BIN_DIR
set -euo pipefail
bin=$1
. "$(dirname "$0")/expect.sh"

# A loss of one's own: its gradient holds, a network learns from it, and is written.
expect 0 "charbonnier: gradient within" "$bin/own_loss" "$work/tiny.safetensors"
grep -q "loss: " "$work/output" || fail "no losses"
expect 0 "si_sdr: gradient within" "$bin/own_loss" "$work/other.safetensors" "{name: si_sdr, steps: 40}"
expect 2 "options:1:30: epsilon: 0 is out of range" "$bin/own_loss" "$work/no" "{name: charbonnier, epsilon: 0}"
expect 2 "is not one of charbonnier, compressed_spectrum, si_sdr" "$bin/own_loss" "$work/no" "{name: charbonier}"
expect 2 "usage:" "$bin/own_loss"
[ ! -e "$work/no" ] || fail "a model in spite of the error"

# That network, hop by hop, on a file of another rate.
python3 - "$work/noisy.wav" <<'PY'
import array, math, random, sys, wave
random.seed(1)
with wave.open(sys.argv[1], "wb") as file:
    file.setnchannels(1), file.setsampwidth(2), file.setframerate(48000)
    tone = (8000 * math.sin(2 * math.pi * 440 * n / 48000) + random.gauss(0, 2000) for n in range(50000))
    file.writeframes(array.array("h", (int(x) for x in tone)).tobytes())
PY
expect 0 "hops of 16.0 ms" "$bin/streaming" "$work/tiny.safetensors" "$work/noisy.wav" "$work/out.wav"
python3 - "$work/out.wav" <<'PY' || fail "not the signal that was asked for"
import array, sys, wave
with wave.open(sys.argv[1]) as file:
    assert file.getframerate() == 16000 and file.getnframes() == 16667, file.getparams()
    samples = array.array("h", file.readframes(file.getnframes()))
    assert 1000 < max(samples) < 32767
PY
expect 3 "missing.safetensors" "$bin/streaming" "$work/missing.safetensors" "$work/noisy.wav" "$work/no.wav"
expect 3 "missing.wav" "$bin/streaming" "$work/tiny.safetensors" "$work/missing.wav" "$work/no.wav"
expect 2 "usage:" "$bin/streaming" "$work/tiny.safetensors"
[ ! -e "$work/no.wav" ] || fail "a file in spite of the error"
