#!/usr/bin/env python3
"""Writes tests/golden/data/composite.csv: LLR, WSS and segmental SNR of the composite measure, as `composite.m` of
Loizou's "Speech Enhancement" (2nd ed., 2013) has them, where frames are digital silence in one signal or in both.
Before anything else it adds `eps` to every sample of both signals, which decides what LLR makes of such frames.

    python3 -m pip install numpy soundfile
    python3 tests/golden/composite.py FOLDER_OF_REAL_RECORDINGS

LPC in extended precision: the window, which is what `eps` leaves of a silent frame, is predicted up to 2e-11 of its
energy, where double precision rounds by some percent (and MATLAB gives what its order of summation gives).

Columns: pair, llr, wss, ssnr, and of pairs in oracle_mix/ of the recordings csig, cbak, covl with the PESQ of
oracle.csv. A pair is one of those made below, which the test makes again, or a file of oracle_mix/. Values of csig and
covl in oracle.csv come without `eps`: the script first shows that this copy gives them, too, if it leaves it out.
"""
import csv
import sys
from pathlib import Path

import numpy as np
import soundfile

OUT = Path(__file__).parent / "data" / "composite.csv"
EPS = np.finfo(np.float64).eps
CENTRES_HZ = np.array([
    50, 120, 190, 260, 330, 400, 470, 540, 617.372, 703.378, 798.717, 904.128, 1020.38, 1148.30, 1288.72, 1442.54,
    1610.70, 1794.16, 1993.93, 2211.08, 2446.71, 2701.97, 2978.04, 3276.17, 3597.63])  # fmt: skip
WIDTHS_HZ = np.array([
    70, 70, 70, 70, 70, 70, 70, 77.3724, 86.0056, 95.3398, 105.411, 116.256, 127.914, 140.423, 153.823, 168.154,
    183.457, 199.776, 217.153, 235.631, 255.255, 276.072, 298.126, 321.465, 346.136])  # fmt: skip


def frames(signal, rate):
    """[frames, samples]: Hann windows of 30 ms every 7.5 ms; one fewer than fit."""
    length = round(0.03 * rate)
    hop = length // 4
    count = (len(signal) - length) // hop
    window = 0.5 * (1 - np.cos(2 * np.pi * np.arange(1, length + 1) / (length + 1)))
    return np.stack([signal[i * hop : i * hop + length] for i in range(count)]) * window


def lags_and_filter(x, order):
    """Autocorrelations and prediction error filters of all frames: Levinson-Durbin."""
    x = x.astype(np.longdouble)
    n = x.shape[1]
    lags = np.stack([(x[:, : n - k] * x[:, k:]).sum(1) for k in range(order + 1)], 1)
    a = np.ones((len(x), 1), np.longdouble)
    error = lags[:, 0].copy()
    for i in range(1, order + 1):
        k = -(a * lags[:, i:0:-1]).sum(1) / error
        longer = np.concatenate([a, np.zeros((len(x), 1), np.longdouble)], 1)
        a = longer + k[:, None] * longer[:, ::-1]
        error *= 1 - k * k
    return lags, a


def llr(clean, estimate, rate):
    order = 10 if rate < 10000 else 16
    lags, own = lags_and_filter(frames(clean, rate), order)
    _, other = lags_and_filter(frames(estimate, rate), order)
    i = np.arange(order + 1)
    matrix = lags[:, abs(i[:, None] - i)]
    energy = lambda a: (a[:, :, None] * matrix * a[:, None, :]).sum((1, 2))  # noqa: E731
    return np.log(energy(other) / energy(own)).astype(np.float64)


def slopes_and_weights(x, rate):
    size = 2 ** int(np.ceil(np.log2(2 * x.shape[1])))
    bins = np.arange(size // 2)
    bank = np.exp(-11 * ((bins - np.floor(CENTRES_HZ * size / rate)[:, None]) / (WIDTHS_HZ * size / rate)[:, None]) ** 2
                  + np.log(WIDTHS_HZ[0] / WIDTHS_HZ)[:, None])  # fmt: skip
    bank[bank <= np.exp(-30 / (2 * 2.303))] = 0
    power = abs(np.fft.rfft(x, size)[:, : size // 2]) ** 2
    energy = 10 * np.log10(np.maximum(power @ bank.T, 1e-10))
    slope = np.diff(energy)
    peak = np.empty_like(slope)
    for t, s in enumerate(slope):
        for b in range(24):
            n = b
            if s[b] > 0:
                while n < 24 and s[n] > 0:
                    n += 1
                peak[t, b] = energy[t, n - 1]
            else:
                while n >= 0 and s[n] <= 0:
                    n -= 1
                peak[t, b] = energy[t, n + 1]
    level = energy[:, :24]
    return slope, 20 / (20 + energy.max(1, keepdims=True) - level) / (1 + peak - level)


def wss(clean, estimate, rate):
    slope_c, weight_c = slopes_and_weights(frames(clean, rate), rate)
    slope_e, weight_e = slopes_and_weights(frames(estimate, rate), rate)
    weight = (weight_c + weight_e) / 2
    return (weight * (slope_c - slope_e) ** 2).sum(1) / weight.sum(1)


def segmental_snr(clean, estimate, rate):
    x, y = frames(clean, rate), frames(estimate, rate)
    ratio = (x**2).sum(1) / (((x - y) ** 2).sum(1) + EPS) + EPS
    return np.clip(10 * np.log10(ratio), -10, 35).mean()


def lowest(values):
    return np.sort(values)[: round(0.95 * len(values))].mean()


def parts(clean, estimate, rate, offset=EPS):
    clean, estimate = clean + offset, estimate + offset
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = llr(clean, estimate, rate)
    ratios[np.isnan(ratios)] = np.inf  # as those who leave the offset out
    return lowest(ratios), lowest(wss(clean, estimate, rate)), segmental_snr(clean, estimate, rate)


def ratings(llr, wss, ssnr, pesq):
    raw = (3.093 - 1.029 * llr + 0.603 * pesq - 0.009 * wss,
           1.634 + 0.478 * pesq - 0.007 * wss + 0.063 * ssnr,
           1.594 + 0.805 * pesq - 0.512 * llr - 0.007 * wss)  # fmt: skip
    return [min(max(r, 1.0), 5.0) for r in raw]


def draws(seed, count):
    """In [0, 1), the same as test::Random."""
    state, mask, out = (seed * 2862933555777941757 + 3037000493) % 2**64, 2**64 - 1, np.empty(count)
    for i in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) & mask
        out[i] = (state >> 11) * 2.0**-53
    return out


def made_pair(rate, side, percent):
    """3 s at 16 bits: tones with a pause each second in noise of 9 steps, and the same ± 1 step; the first frames of
    one side or of both are silent."""
    n = np.arange(3 * rate)
    tones = sum(4000 / k * np.sin(2 * np.pi * 137 * k * n / rate) for k in range(1, 12)) * (n % rate < 0.8 * rate)
    clean = np.round(tones) + np.floor(9 * draws(1, len(n))) - 4
    count = (len(n) - round(0.03 * rate)) // (round(0.03 * rate) // 4)
    silent = 0 if percent == 0 else round(0.03 * rate) + (round(percent / 100 * count) - 1) * (round(0.03 * rate) // 4)
    if side != "estimate":
        clean[:silent] = 0
    estimate = clean + np.floor(3 * draws(2, len(n))) - 1
    if side != "clean":
        estimate[:silent] = 0
    return clean / 32768, estimate / 32768


def is_silent(signal, rate):
    return (frames(signal, rate) == 0).all(1)


def main():
    folder = Path(sys.argv[1]) / "oracle_mix"
    rows = []
    for rate in (16000, 8000):
        for side in ("clean", "estimate", "both"):
            for percent in (0, 4, 10, 50):
                if side != "clean" and percent == 0:
                    continue
                pair = made_pair(rate, side, percent)
                for signal, role in zip(pair, ("clean", "estimate")):
                    share = is_silent(signal, rate).mean() * 100
                    assert abs(share - (percent if side in (role, "both") else 0)) < 0.5, (side, percent, share)
                rows.append([f"{rate} {side} {percent}", *parts(*pair, rate), "", "", ""])
    largest = 0
    for row in csv.DictReader(open(folder / "oracle.csv")):
        (clean, rate), (estimate, _) = (soundfile.read(folder / side / row["file"]) for side in ("clean", "degraded"))
        pesq = float(row["pesq_wb"])
        without = ratings(*parts(clean, estimate, rate, 0), pesq)
        largest = max(largest, *(abs(w - float(row[c])) for w, c in zip(without, ("csig", "cbak", "covl"))))
        if not (is_silent(clean, rate) ^ is_silent(estimate, rate)).any():
            continue
        values = parts(clean, estimate, rate)
        rows.append([row["file"], *values, *ratings(*values, pesq)])
        print(row["file"], "CSIG, CBAK, COVL without eps", np.round(without, 4), "with", np.round(rows[-1][4:], 4))
    print(f"without eps the largest difference to {folder}/oracle.csv is {largest:.2g}")
    assert largest < 1e-4
    with open(OUT, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["pair", "llr", "wss", "ssnr", "csig", "cbak", "covl"])
        for name, *values in rows:
            writer.writerow([name, *(v if v == "" else f"{v:.8g}" for v in values)])


main()
