"""Numbers that golden files do not have to hold, because both sides make them: a hash of a name and an index, and a few
dot products with such numbers in place of a whole tensor. tests/golden/hashed.h is the other side.
"""
import math

import numpy as np
import torch

PROBES = 4
MASK = 2**64 - 1


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & MASK
    return value


def uniform(name, *shape):
    """In [-1, 1), 24 bits each, so exact in float32: splitmix64 of fnv1a(name) + index."""
    with np.errstate(over="ignore"):
        z = np.uint64(fnv1a(name)) + np.arange(math.prod(shape), dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return torch.from_numpy((z >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1).reshape(shape)


def state_of(module):
    return {k: v for k, v in module.state_dict().items() if not k.endswith("num_batches_tracked")}


def fill(module, prefix):
    """Parameters and running statistics by their names: no zeros or ones, and no signal dies or explodes on its way."""
    for name, value in state_of(module).items():
        u = uniform(f"{prefix}/{name}", *value.shape)
        if value.dim() >= 2:  # variance 1.5 / inputs, less in loops
            gain = 1.0 if ".recurrent." in name else 4.5
            u = u * math.sqrt(gain * value.shape[0] / value.numel())
        elif name.endswith("norm.weight"):
            u = 1 + 0.3 * u
        elif name.endswith("running_var"):
            u = 1 + 0.5 * u
        elif name.endswith("activation.weight"):
            u = 0.25 + 0.2 * u
        else:
            u = 0.2 * u
        value.copy_(u.float())


def project(name, x):
    """[1 + PROBES]: the norm of a tensor, and its dot products with numbers in [-1, 1). If those of x and y differ by
    d_k, the square root of 3 / PROBES times the sum of d_k^2 estimates the norm of x - y."""
    x = x.detach().double()
    return torch.stack([x.norm()] + [(x * uniform(f"{name}/probe{k}", *x.shape)).sum() for k in range(PROBES)])


def shapes_digest(module):
    """Of names and shapes of the state, in the order of names."""
    lines = [f"{name}:{'x'.join(map(str, value.shape))}\n" for name, value in sorted(state_of(module).items())]
    return f"{fnv1a(''.join(lines)):016x}"
