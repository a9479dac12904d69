#!/usr/bin/env python3
"""Writes tests/golden/data/networks.safetensors: what every network of configs/model and 20 random ones must give, by
golden_model.py in double precision. Needs what make_golden.py needs, and is called like it; to be run again whenever a
file of configs/model changes. Also writes python_model.safetensors, one of the random ones as a model file.

Inputs and states are not stored: golden_values.py makes them here, and hashed.h in network_test.cpp. Of the estimate
every sample is stored, of taps, gradients and running statistics the norm and four dot products each (rows in the order
of names).
"""
import json
import math
import random
import sys
from pathlib import Path

import torch
import yaml
from safetensors.torch import save_file
from torch import nn

from golden_model import Autoencoder, band_matrices, complete, count_macs, read_options
from golden_values import fill, project, shapes_digest, state_of, uniform

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

# With this seed no bin or variance is so small by chance that float32 loses the digits that the test looks at.
RANDOM, SEED, FRAMES = 20, 16, 20


def draw_options():
    """Every value of every option is there equally often; each sequence is shuffled by itself."""
    rng = random.Random(SEED)

    def column(*values):
        cells = [values[i % len(values)] for i in range(RANDOM)]
        rng.shuffle(cells)
        return cells

    columns = dict(
        stft=column((64, 32, 64, "sqrt_hann"), (64, 16, 64, "hann"), (48, 16, 64, "sqrt_hann"),
                    (96, 32, 128, "sqrt_hann"), (96, 24, 96, "hann")),
        rate_hz=column(16000, 8000), merging=column(True, False),
        features=column("magnitude", "log_magnitude", "complex", "magnitude_complex"),
        compression=column(0.3, 0.5, 1.0), norm=column("batch", "instance", "none"),
        activation=column("relu6", "prelu", "silu"),
        temporal=column("none", "gru", "dual_path"), layers=column(1, 2), groups=column(1, 2, 3),
        skips=column("none", "add", "concat"), mask=column("real", "complex", "bounded_complex"),
        expansion=column(1, 2, 3), stages=column(1, 2, 3), future=column(0, 0.5, 1), train=column(True, False))
    for row in range(RANDOM):
        cell = {key: values[row] for key, values in columns.items()}
        window, hop, fft, shape = cell["stft"]
        bins = fft // 2
        kept = merged = 0
        if cell["merging"]:
            kept, merged = bins // 4, bins // 4
            band_matrices(bins, cell["rate_hz"] / fft, kept, merged)  # refuses bands narrower than a bin
        bands = kept + merged if merged else bins
        strides = [5]
        while bands % math.prod(strides) or bands // math.prod(strides) < 4:
            strides = [rng.choice([1, 2, 3, 4]) for _ in range(1 + cell["stages"])]
        groups, kernel = cell["groups"], lambda: rng.choice([1, 2, 3, 5])
        stem = dict(channels=rng.randint(3, 5), stride=strides[0], kernel_time=kernel(),
                    kernel_freq=rng.choice([3, 5, 7]))
        encoder = [dict(channels=rng.choice([stem["channels"], 4, 6, 7]), blocks=rng.choice([1, 1, 2]), stride=stride,
                        kernel_time=kernel(), kernel_freq=rng.choice([1, 3, 5]), dilation_time=rng.choice([1, 1, 2, 3]))
                   for stride in strides[1:]]
        reach = stem["kernel_time"] // 2 + sum(2 * s["blocks"] * (s["kernel_time"] // 2) * s["dilation_time"]
                                               for s in encoder)
        yield f"random_{row:02d}", cell["train"], hop, complete(dict(
            rate_hz=cell["rate_hz"],
            stft=dict(window_samples=window, hop_samples=hop, fft_samples=fft, window=shape),
            bands=dict(kept=kept, merged=merged), features=cell["features"], compression=cell["compression"], stem=stem,
            encoder=encoder, expansion=cell["expansion"], norm=cell["norm"], activation=cell["activation"],
            latent=dict(channels=rng.randint(2, 5), in_channels=groups * rng.randint(1, 2)),
            temporal=dict(type=cell["temporal"], hidden=2 * groups * rng.randint(1, 3), layers=cell["layers"],
                          groups=groups),
            skips=cell["skips"], mask=cell["mask"], lookahead_frames=round(cell["future"] * reach)))


def presets():
    for i, path in enumerate(sorted(Path(__file__).parents[2].glob("configs/model/*.yaml"))):
        options = read_options(path)
        yield path.stem, i % 2 == 0, options["stft"]["hop_samples"], options


def to_yaml(options):
    """Without the layout in memory, which changes no value."""
    kept = {key: value for key, value in options.items() if key != "memory_format"}
    return yaml.safe_dump(kept, default_flow_style=None, width=1000)


def watch_kinks(model):
    """A list into which each pass puts how far the inputs of its activations were from where their slope jumps."""
    distances = []

    def look(layer, inputs, output):
        for kink in (0, 6) if isinstance(layer, nn.ReLU6) else (0,):
            distances.append((inputs[0] - kink).abs().min().item())

    for layer in model.modules():
        if isinstance(layer, (nn.ReLU6, nn.PReLU)):
            layer.register_forward_hook(look)
    return distances


def compute(name, train, samples, options):
    """The case's options and tensors."""
    model = Autoencoder(options)
    fill(model, name)
    x = (0.1 * uniform(f"{name}/noisy", 2, samples)).float().double().requires_grad_()
    frames = 2 * model.stft.frames(samples)
    macs = count_macs(model, x, frames)
    distances = watch_kinks(model)
    estimate, taps = model.train(train)(x)
    (estimate * uniform(f"{name}/probe", *estimate.shape)).sum().backward()
    gradients = {key: p.grad for key, p in model.named_parameters()} | {"": x.grad}
    statistics = {key: value for key, value in state_of(model).items() if ".running_" in key}
    tensors = {"estimate": estimate}
    for role, values in (("taps", taps), ("gradients", gradients), ("statistics", statistics)):
        if values:
            tensors[role] = torch.stack([project(f"{name}/{role}/{key}", values[key]) for key in sorted(values)])
    case = dict(train=train, samples=samples, parameters=sum(p.numel() for p in model.parameters()),
                macs_per_frame=macs, macs_per_second=macs * options["rate_hz"] / options["stft"]["hop_samples"],
                state=shapes_digest(model), kink_distance=min(distances, default=1.0), yaml=to_yaml(options))
    return case, {key: value.detach().float().contiguous() for key, value in tensors.items()}


def save(path, tensors, metadata):
    save_file(tensors, path, metadata=metadata)
    path.chmod(0o644)


def save_model(path, name, options):
    """As Limbeck writes them, but for the name of the case."""
    model = Autoencoder(options)
    fill(model, name)
    tensors = {key: value.float().contiguous() for key, value in state_of(model).items()}
    save(path, tensors, {"limbeck": json.dumps(dict(format=1, model=to_yaml(options))), "case": name})


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = list(draw_options())
    cases, tensors = {}, {}
    for name, train, hop, options in [*presets(), *drawn]:
        # The last frame is cut.
        cases[name], values = compute(name, train, FRAMES * hop - hop // 3, options)
        tensors |= {f"{name}/{key}": value for key, value in values.items()}
        print(f"{name}: {cases[name]['parameters']} parameters, {cases[name]['macs_per_second'] / 1e6:.2f} MMAC/s")
    save(folder / "networks.safetensors", tensors, {"cases": json.dumps(cases, sort_keys=True)})
    name, _, _, options = next(d for d in drawn if not d[1] and d[3]["norm"] == "batch"
                               and d[3]["temporal"]["type"] != "none")
    save_model(folder / "python_model.safetensors", name, options)


if __name__ == "__main__":
    main()
