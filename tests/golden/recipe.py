#!/usr/bin/env python3
"""Prints what tests/data/recipe_test.cpp expects of a recipe (MeanTheseSamplesOnEveryPlatform): made here from the
description of recipes in exact integer arithmetic and NumPy, with the noise that the test makes.

    python3 -m pip install numpy xxhash
    python3 tests/golden/recipe.py
"""
import numpy as np
import xxhash

MASK = 2**64 - 1


def white(count, seed, amplitude):
    """tests/data/support.h: xoshiro256** seeded by splitmix64 from the hash of the seed, as 16-bit samples."""
    x = xxhash.xxh3_64_intdigest(int(seed).to_bytes(8, "little"))
    state = []
    for _ in range(4):
        x = (x + 0x9E3779B97F4A7C15) & MASK
        z = x
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        state.append(z ^ (z >> 31))

    def rotl(v, k):
        return ((v << k) | (v >> (64 - k))) & MASK

    out = []
    for _ in range(count):
        bits = (rotl((state[1] * 5) & MASK, 7) * 9) & MASK
        t = (state[1] << 17) & MASK
        state[2] ^= state[0]
        state[3] ^= state[1]
        state[1] ^= state[2]
        state[0] ^= state[3]
        state[2] ^= t
        state[3] = rotl(state[3], 45)
        value = np.float32(-amplitude + 2 * amplitude * ((bits >> 11) * 2.0**-53))
        out.append(int(np.rint(float(value) * 32768)))
    return np.array(out, np.int64)


def hash_audio(samples):
    return xxhash.xxh3_128_hexdigest(samples.astype(np.float32).tobytes())


speech, noise, response = white(3000, 1, 0.25), white(2000, 2, 0.125), white(1000, 3, 0.5)
dry = np.concatenate([speech[100:2600], speech[:500]])
noise = np.concatenate([noise[1500:], noise, noise[:500]])
direct = int(np.argmax(np.abs(response)))
h = np.array([int(np.rint(v / abs(int(response[direct])) * 2**15)) for v in response], np.int64)
early = h.copy()
early[direct + 320 + 1 :] = 0  # 20 ms
x = dry * 2**4  # multiples of 2^-19
full = np.convolve(x, h)[direct : direct + 3000]  # of integers: exact
early = np.convolve(x, early)[direct : direct + 3000]
speech_gain, noise_gain = 0.7071067811865476, 1.2345678901234567


def scaled(samples, gain):
    return (samples.astype(np.float32).astype(np.float64) * gain).astype(np.float32)


clean = scaled(early * 2.0**-34, speech_gain)
noisy = scaled(full * 2.0**-34, speech_gain) + scaled(noise / 32768, noise_gain)
print("clean", hash_audio(clean))
print("noisy", hash_audio(noisy))
