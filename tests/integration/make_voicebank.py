#!/usr/bin/env python3
"""Makes a small set laid out as VoiceBank-DEMAND is distributed: made-up 48 kHz pairs and log files.

Usage: make_voicebank.py OUT [--pairs N] [--seconds S] [--seed N] [--folders]

OUT gets clean_trainset_28spk_wav.zip, noisy_trainset_28spk_wav.zip, clean_testset_wav.zip, noisy_testset_wav.zip and
logfiles.zip, with N pairs of each of six speakers (two each for train, valid and test); or, with --folders, the same
unpacked. The same arguments make the same bytes.
"""

import argparse
import array
import io
import math
import pathlib
import random
import wave
import zipfile

RATE = 48000
SPEAKERS = {"trainset_28spk": ["p226", "p227", "p228", "p287"], "testset": ["p232", "p257"]}
NOISES = {"trainset_28spk": ["babble", "cafeteria", "ssn"], "testset": ["bus", "psquare"]}
SNRS = {"trainset_28spk": ["0", "5", "10", "15"], "testset": ["2.5", "7.5", "12.5", "17.5"]}


def wav_bytes(samples):
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def voice(rng, count):
    """A vowel-like tone whose loudness comes and goes."""
    pitch = rng.uniform(90, 220)
    table = [
        sum(math.sin(2 * math.pi * k * i / 512) / k for k in range(1, 9)) * 2500 for i in range(512)
    ]
    step = 512 * pitch / RATE
    return array.array(
        "h",
        (
            int(table[int(i * step) % 512] * (0.5 + 0.5 * math.sin(i / 4000.0)))
            for i in range(count)
        ),
    )


def mixed(clean, noise, start, snr_db):
    count = len(clean)
    part = noise[start : start + count]
    power = sum(x * x for x in clean) / count
    noise_power = sum(x * x for x in part) / count
    gain = math.sqrt(power / noise_power / 10 ** (snr_db / 10))
    return array.array("h", (max(-32768, min(32767, round(c + gain * n))) for c, n in zip(clean, part)))


def make(pairs, seconds, seed):
    """{folder name: {file name: bytes}} and {log name: text}."""
    rng = random.Random(seed)
    count = int(seconds * RATE)
    noise = array.array("h", (int(rng.gauss(0, 2000)) for _ in range(3 * count)))
    folders, logs = {}, {}
    for part, speakers in SPEAKERS.items():
        clean_folder = folders.setdefault(f"clean_{part}_wav", {})
        noisy_folder = folders.setdefault(f"noisy_{part}_wav", {})
        lines = []
        for speaker in speakers:
            for number in range(1, pairs + 1):
                name = f"{speaker}_{number:03d}"
                clean = voice(rng, int(count * rng.uniform(0.6, 1.0)))
                snr = rng.choice(SNRS[part])
                noisy = mixed(clean, noise, rng.randrange(count), float(snr))
                clean_folder[f"{name}.wav"] = wav_bytes(clean)
                noisy_folder[f"{name}.wav"] = wav_bytes(noisy)
                lines.append(f"{name} {rng.choice(NOISES[part])} {snr}")
        logs[f"log_{part}.txt"] = "\n".join(lines) + "\n"
    return folders, logs


def write_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, contents in members:
            archive.writestr(zipfile.ZipInfo(name), contents, compress_type=zipfile.ZIP_DEFLATED)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folders", action="store_true")
    arguments = parser.parse_args()
    folders, logs = make(arguments.pairs, arguments.seconds, arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for folder, files in folders.items():
        if arguments.folders:
            (arguments.out / folder).mkdir()
            for name, contents in files.items():
                (arguments.out / folder / name).write_bytes(contents)
        else:
            # A Mac's shadow files lie in some archives; they are no recordings.
            shadows = [(f"__MACOSX/{folder}/._{name}", b"shadow") for name in list(files)[:1]]
            members = [(f"{folder}/", b"")] + [(f"{folder}/{name}", data) for name, data in files.items()]
            write_zip(arguments.out / f"{folder}.zip", members + shadows)
    if arguments.folders:
        for name, text in logs.items():
            (arguments.out / name).write_text(text)
    else:
        write_zip(arguments.out / "logfiles.zip", [(name, text) for name, text in logs.items()])


if __name__ == "__main__":
    main()
