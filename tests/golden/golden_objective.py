"""Limbeck's losses and the parts that distillation terms share in PyTorch, from their description; see make_golden.py.

Legend: B batch, C channel, T frame, F bin, L sample.
"""
import math

import numpy as np
import torch
from torch.nn import functional


def negative_si_sdr(estimate, clean):
    """[L], [L] -> dB."""
    target = (estimate @ clean) / (clean @ clean) * clean
    distortion = estimate - target
    return -10 * torch.log10((target @ target + 1e-10) / (distortion @ distortion + 1e-10))


def compress(spectrum, power):
    """Magnitude and complex value of a spectrum, both with |S|^power for |S|; the floor is -120 dB."""
    magnitude = (spectrum.real ** 2 + spectrum.imag ** 2 + 1e-12).sqrt()
    return magnitude ** power, spectrum * magnitude ** (power - 1)


def spectral_distance(a, b, power, complex_weight):
    """Of two spectra, value by value."""
    (a_magnitude, a_complex), (b_magnitude, b_complex) = compress(a, power), compress(b, power)
    difference = a_complex - b_complex
    return ((1 - complex_weight) * (a_magnitude - b_magnitude) ** 2
            + complex_weight * (difference.real ** 2 + difference.imag ** 2))


def compressed_spectrum(estimate, clean, stft, power, complex_weight):
    """[L], [L]; mean over the frames and bins of one item that stands alone."""
    return spectral_distance(stft(estimate[None])[0], stft(clean[None])[0], power, complex_weight).mean()


def adapter_shapes(kind, c_in, c_out, bins, expansion=2, kernel_freq=3):
    if kind == "linear":
        return {"linear.weight": (c_out, c_in, 1, 1), "linear.bias": (c_out,)}
    if kind == "frame_linear":
        return {"linear.weight": (c_out * bins, c_in * bins), "linear.bias": (c_out * bins,)}
    if kind == "inverted_bottleneck":
        wide = c_in * expansion
        return {"expand.weight": (wide, c_in, 1, 1), "expand.bias": (wide,),
                "depthwise.weight": (wide, 1, 1, kernel_freq), "depthwise.bias": (wide,),
                "project.weight": (c_out, wide, 1, 1), "project.bias": (c_out,)}
    return {}


def mix(x, weight, bias):
    """A 1x1 convolution: [B, C, T, F] by [C', C, 1, 1]."""
    return torch.einsum("oc,bctf->botf", weight[:, :, 0, 0], x) + bias[:, None, None]


def adapt(kind, x, p):
    if kind == "linear":
        return mix(x, p["linear.weight"], p["linear.bias"])
    if kind == "frame_linear":
        frames = [(p["linear.weight"] @ x[:, :, t].reshape(x.shape[0], -1).T).T + p["linear.bias"]
                  for t in range(x.shape[2])]
        return torch.stack([f.reshape(x.shape[0], -1, x.shape[3]) for f in frames], 2)
    if kind == "inverted_bottleneck":
        wide = mix(x, p["expand.weight"], p["expand.bias"])
        wide = wide / (1 + torch.exp(-wide))
        kernel = p["depthwise.weight"][:, 0, 0]  # [wide, k]
        half = kernel.shape[1] // 2
        padded = functional.pad(wide, (half, half))
        spread = sum(padded[..., k:k + x.shape[3]] * kernel[:, k, None, None] for k in range(kernel.shape[1]))
        return mix(spread + p["depthwise.bias"][:, None, None], p["project.weight"], p["project.bias"])
    return x


def frame_edges(grid, frames):
    """Frame t owns half a hop before and after its centre."""
    return [grid["centre"] + (t - 0.5) * grid["hop"] for t in range(frames + 1)]


def area_matrix(from_edges, to_edges):
    """[to, from], rows sum to 1; a cell that nothing touches takes the nearest one."""
    matrix = np.zeros((len(to_edges) - 1, len(from_edges) - 1))
    for j in range(len(to_edges) - 1):
        for i in range(len(from_edges) - 1):
            overlap = min(from_edges[i + 1], to_edges[j + 1]) - max(from_edges[i], to_edges[j])
            matrix[j, i] = max(overlap, 0)
        if matrix[j].sum() > 1e-12:
            matrix[j] /= matrix[j].sum()
        else:
            centre = (to_edges[j] + to_edges[j + 1]) / 2
            matrix[j] = 0
            matrix[j, np.argmin([abs((a + b) / 2 - centre) for a, b in zip(from_edges, from_edges[1:])])] = 1
    return matrix


def area_average(x, from_edges, to_edges):
    """Averages the last axis of an array onto other cells."""
    return x @ area_matrix(from_edges, to_edges).T
