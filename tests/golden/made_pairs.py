"""Pairs of signals for compare_metrics.py. Each is a function of (seed, index) alone.

`made_pair` needs no recordings and covers what users do wrong: swapped, silent, constant, brief, clipped or unequal
signals. `recorded_pair` mixes real speech and noise the way shared/data/oracle_mix/recipe.csv does.
"""

import functools
import pathlib

import numpy as np
import scipy.signal
import soundfile

SNRS_DB = (-5, 0, 2.5, 5, 7.5, 10, 15, 17.5, 20, 25, 35)


def rng_of(seed, index):
    return np.random.default_rng([seed, index])


def quantized(signal):
    """As a 16-bit file would hold it."""
    return (np.clip(np.round(signal * 32768), -32768, 32767) / 32768).astype(np.float32)


def speech_like(rng, seconds, rate):
    """Harmonics with moving pitch and formants in syllables with pauses."""
    t = np.arange(int(seconds * rate)) / rate
    pitch = rng.uniform(90, 220) * (1 + 0.2 * np.sin(2 * np.pi * rng.uniform(0.2, 0.8) * t + rng.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    syllables = np.clip(np.sin(2 * np.pi * rng.uniform(1, 3) * t) + rng.uniform(-0.5, 0.5), 0, None)
    phrases = (np.sin(2 * np.pi * rng.uniform(0.1, 0.5) * t + rng.uniform(0, 6)) > rng.uniform(-1.2, 0)).astype(float)
    voice = sum(
        np.sin(k * phase) * np.exp(-0.12 * k) * (1 + np.sin(rng.uniform(0.5, 4) * t + k)) for k in range(1, 25)
    )
    return 0.05 * voice * syllables * phrases + 1e-4 * rng.standard_normal(t.size)


def coloured_noise(rng, size):
    pole = rng.uniform(-0.5, 0.98)
    return scipy.signal.lfilter([1], [1, -pole], rng.standard_normal(size))


def mixed(clean, noise, snr_db):
    gain = np.sqrt(np.sum(clean**2) / max(np.sum(noise**2), 1e-20) * 10 ** (-snr_db / 10))
    return clean + gain * noise


def delayed(signal, samples):
    """Positive: later, with silence before; negative: earlier. Same length."""
    result = np.zeros_like(signal)
    if samples >= 0:
        result[samples:] = signal[: signal.size - samples]
    else:
        result[:samples] = signal[-samples:]
    return result


def with_jumps(rng, signal, jumps, longest):
    """The delay changes at random places: samples are left out or silence is put in."""
    pieces = np.split(signal, np.sort(rng.integers(0, signal.size, jumps)))
    parts = []
    for i, piece in enumerate(pieces):
        jump = int(rng.integers(-longest, longest + 1)) if i else 0
        parts += [np.zeros(max(jump, 0)), piece[max(-jump, 0) :]]
    joined = np.concatenate(parts)[: signal.size]
    return np.pad(joined, (0, signal.size - joined.size))


def spectral_subtraction(noisy, noise, factor):
    _, _, y = scipy.signal.stft(noisy, nperseg=512)
    _, _, n = scipy.signal.stft(noise, nperseg=512)
    level = np.mean(np.abs(n), axis=1, keepdims=True)
    gain = np.maximum(1 - factor * level / np.maximum(np.abs(y), 1e-12), 0.05)
    _, result = scipy.signal.istft(gain * y, nperseg=512)
    return np.pad(result, (0, max(0, noisy.size - result.size)))[: noisy.size]


def with_gaps(rng, signal, count, rate):
    result = signal.copy()
    for _ in range(count):
        start = int(rng.integers(0, signal.size))
        result[start : start + int(rng.uniform(0.02, 0.3) * rate)] = 0
    return result


def degraded(rng, kind, clean, noise, rate, severe):
    """(estimate, parameter) of one kind of recipe.csv; severe: delays up to 0.5 s and several jumps."""
    snr_db = float(rng.choice(SNRS_DB))
    noisy = mixed(clean, noise, snr_db)
    limit = min(clean.size // 2, rate // 2 if severe else rate // 18)
    if kind == "mix":
        return noisy, snr_db
    if kind == "delay":
        samples = int(rng.integers(-limit, limit))
        return delayed(noisy, samples), samples
    if kind == "jump":
        longest = int(rng.choice([64, 400, 1500, limit])) if severe else rate // 40
        count = int(rng.integers(1, 6)) if severe else 1
        return with_jumps(rng, noisy, count, min(longest, limit)), count
    if kind == "gain":
        gain_db = float(rng.uniform(-40, 6))
        return noisy * 10 ** (gain_db / 20), gain_db
    if kind == "clip":
        level = float(rng.uniform(0.02, 0.6)) * np.max(np.abs(noisy))
        return np.clip(noisy, -level, level), level
    if kind == "gap":
        count = int(rng.integers(1, 7))
        return with_gaps(rng, noisy, count, rate), count
    if kind == "lowpass":
        hz = float(rng.uniform(600, 0.45 * rate))
        return scipy.signal.sosfilt(scipy.signal.butter(6, hz, fs=rate, output="sos"), noisy), hz
    if kind == "subtract":
        factor = float(rng.uniform(0.5, 2))
        return spectral_subtraction(noisy, noisy - clean, factor), factor
    raise ValueError(kind)


RECORDED_KINDS = ("mix", "delay", "jump", "gain", "clip", "gap", "lowpass", "subtract", "two")


@functools.cache
def recordings(folder):
    found = {kind: sorted(pathlib.Path(folder, kind).rglob("*.flac")) for kind in ("clean", "noise")}
    if not found["clean"] or not found["noise"]:
        raise SystemExit(f"{folder}: no recordings in clean/ and noise/")
    return found


@functools.lru_cache(maxsize=64)
def read(path):
    return soundfile.read(path)


def excerpt(rng, files, seconds):
    signal, rate = read(files[int(rng.integers(len(files)))])
    size = round(seconds * rate)
    if signal.size < size:
        signal = np.tile(signal, size // signal.size + 1)
    start = int(rng.integers(0, signal.size - size + 1))
    return signal[start : start + size]


def recorded_pair(seed, index, folder, severe):
    """(kind, rate, clean, estimate) made of recordings."""
    rng = rng_of(seed, index)
    found = recordings(folder)
    kind = RECORDED_KINDS[index % len(RECORDED_KINDS)]
    rate = 8000 if rng.random() < 0.25 else 16000
    seconds = float(rng.uniform(1.2, 9))
    clean = excerpt(rng, found["clean"], seconds)
    if kind == "two":
        pause = np.zeros(int(rng.uniform(0.2, 2) * 16000))
        clean = np.concatenate([clean, pause, excerpt(rng, found["clean"], float(rng.uniform(1.2, 6)))])
    noise = excerpt(rng, found["noise"], clean.size / 16000)
    clean = clean * 10 ** (rng.uniform(-12, 0) / 20) * min(1.0, 0.5 / max(np.max(np.abs(clean)), 1e-9))
    if rate == 8000:
        clean, noise = (scipy.signal.resample_poly(x, 1, 2) for x in (clean, noise))
    inner = kind
    if kind == "two":
        inner = str(rng.choice(["mix", "delay", "jump"]))
    estimate, parameter = degraded(rng, inner, clean, noise[: clean.size], rate, severe)
    return f"{kind} {parameter:.6g}", rate, quantized(clean), quantized(estimate)


MADE_KINDS = (
    "mix", "swap", "delay", "jump", "padded", "gain", "clip", "gap", "lowpass", "float",
    "longer", "shorter", "dc", "dc_only", "silent_clean", "silent_estimate", "short", "very_short",
    "click", "noise_only", "quiet", "half_silent", "not_finite", "tone", "empty",
)  # fmt: skip


def made_pair(seed, index):
    """(kind, rate, clean, estimate) of synthetic signals; lengths may differ."""
    rng = rng_of(seed, index)
    kind = MADE_KINDS[index % len(MADE_KINDS)]
    rate = 8000 if rng.random() < 0.25 else 16000
    seconds = float(rng.uniform(0.6, 6))
    if kind == "short":
        seconds = float(rng.uniform(0.2, 0.7))
    if kind == "very_short":
        seconds = float(rng.uniform(0.0001, 0.26))
    clean = speech_like(rng, seconds, rate)
    size = clean.size
    noise = coloured_noise(rng, size)
    noisy = mixed(clean, noise, float(rng.uniform(-5, 30)))
    estimate = noisy
    if kind in ("delay", "jump", "gain", "clip", "gap", "lowpass"):
        estimate, _ = degraded(rng, kind, clean, noise, rate, True)
    elif kind == "swap":
        clean, estimate = noisy, clean
    elif kind == "padded":
        before, after = (int(x) for x in rng.integers(0, rate, 2))
        clean, estimate = (np.pad(x, (before, after)) for x in (clean, noisy))
    elif kind == "float":
        clean, estimate = (x * 10 ** rng.uniform(-3, 1) for x in (clean, noisy))
        return kind, rate, clean.astype(np.float32), estimate.astype(np.float32)
    elif kind == "longer":
        estimate = np.pad(noisy, (0, int(rng.integers(1, rate))))
    elif kind == "shorter":
        estimate = noisy[: size - int(rng.integers(1, size // 2))]
    elif kind == "dc":
        clean, estimate = clean + rng.uniform(-0.3, 0.3), noisy + rng.uniform(-0.3, 0.3)
    elif kind == "dc_only":
        clean, estimate = (np.full(size, rng.uniform(-0.5, 0.5)) if rng.random() < 0.7 else x for x in (clean, noisy))
    elif kind == "silent_clean":
        clean = 0 * clean
    elif kind == "silent_estimate":
        estimate = 0 * clean
    elif kind == "click":
        clean, estimate = np.zeros(size), np.zeros(size)
        clean[int(rng.integers(size))] = 0.5
        estimate[int(rng.integers(size))] = 0.5
    elif kind == "noise_only":
        clean, estimate = 0.1 * noise / np.std(noise), 0.05 * rng.standard_normal(size)
    elif kind == "quiet":
        clean, estimate = (x * 10 ** rng.uniform(-4, -2) for x in (clean, noisy))
    elif kind == "half_silent":
        clean, estimate = clean.copy(), noisy.copy()
        (clean if rng.random() < 0.5 else estimate)[int(rng.uniform(0, 0.9) * size) :] = 0
    elif kind == "not_finite":
        estimate = noisy.copy()
        estimate[int(rng.integers(size))] = rng.choice([np.nan, np.inf])
        return kind, rate, quantized(clean), estimate.astype(np.float32)
    elif kind == "tone":
        t = np.arange(size) / rate
        clean = 0.3 * np.sin(2 * np.pi * rng.uniform(50, 3500) * t)
        estimate = clean + 0.01 * rng.standard_normal(size)
    elif kind == "empty":
        clean, estimate = clean[:0], estimate[:0]
    return kind, rate, quantized(clean), quantized(estimate)
