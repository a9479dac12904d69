#!/usr/bin/env python3
"""Writes the golden values in tests/golden/data: an implementation of Limbeck's formulas in PyTorch, made from their
description and not from the C++. Everything is computed in double precision from float32 inputs and parameters, by
the plainest code (explicit Fourier matrices, loops over items and frames), and stored as float32.

    python3 -m pip install torch numpy safetensors pyyaml      # any recent versions
    python3 tests/golden/make_golden.py [OUT_DIR]

With the light LibTorch of scripts/setup.sh (a CUDA wheel without CUDA), `import torch` needs a few more libraries:

    G=.deps/golden; python3 -m pip install --target $G numpy typing_extensions filelock sympy networkx jinja2 fsspec \
        pyyaml safetensors setuptools
    python3 -m pip install --no-deps --target $G --upgrade nvidia-nccl-cu13==2.30.7 nvidia-cufile \
        nvidia-nvshmem-cu13==3.7.2 nvidia-cusparselt-cu13==0.8.1
    PYTHONPATH=.deps/libtorch-2.15.0:$G python3 tests/golden/make_golden.py

Names in the files are `case/role/name`; the metadata `cases` is JSON: case -> its options.
"""
import json
import math
import sys
import zlib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from golden_model import Bottleneck, Stft, count_macs
from golden_objective import (adapt, adapter_shapes, area_average, compressed_spectrum, frame_edges,
                              negative_si_sdr)

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def draw(name, *shape, scale=1.0):
    """Normal values that depend on the name only, exact in float32."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return torch.from_numpy((scale * rng.standard_normal(shape)).astype(np.float32)).double()


def randomize(module, name):
    """Parameters and running statistics that exercise every term (no ones, no zeros)."""
    for key, value in list(module.named_parameters()) + list(module.named_buffers()):
        if key.endswith("num_batches_tracked"):
            continue
        z = draw(f"{name}/{key}", *value.shape)
        if key.endswith("running_var"):
            z = (0.5 + z.abs()).float().double()
        elif value.dim() >= 2:
            z = (z * math.sqrt(1.5 / (value.numel() / value.shape[0]))).float().double()
        elif "norm.weight" in key:
            z = (1 + 0.3 * z).float().double()
        else:
            z = (0.2 * z).float().double()
        value.data.copy_(z)


def state_of(module):
    return {k: v.detach().clone() for k, v in module.state_dict().items() if not k.endswith("num_batches_tracked")}


class File:
    """One golden file."""

    def __init__(self, name):
        self.name, self.tensors, self.cases = name, {}, {}

    def put(self, case, role, value):
        if isinstance(value, dict):
            for key, item in value.items():
                self.put(case, f"{role}/{key}", item)
            return
        value = value.detach()
        if value.is_complex():
            value = torch.view_as_real(value)
        self.tensors[f"{case}/{role}"] = value.float().contiguous().clone()

    def save(self, folder):
        path = folder / f"{self.name}.safetensors"
        save_file(self.tensors, path, metadata={"cases": json.dumps(self.cases, sort_keys=True)})
        path.chmod(0o644)


def make_stft():
    file = File("stft")
    for case, options, samples in [("default", dict(window=64, hop=32, fft=64, shape="sqrt_hann"), 200),
                                   ("hann", dict(window=64, hop=16, fft=64, shape="hann"), 131),
                                   ("padded", dict(window=48, hop=16, fft=64, shape="sqrt_hann"), 97),
                                   ("short", dict(window=64, hop=16, fft=128, shape="hann"), 5)]:
        stft = Stft(**options)
        x = draw(f"stft/{case}", 2, samples).requires_grad_()
        spectrum = stft(x)
        probe = draw(f"stft/{case}/probe", *spectrum.shape, 2)
        (torch.view_as_real(spectrum) * probe).sum().backward()
        edited = torch.view_as_complex(probe)
        file.cases[case] = dict(options, samples=samples)
        file.put(case, "input", x)
        file.put(case, "spectrum", spectrum)
        file.put(case, "probe", probe)
        file.put(case, "grad", x.grad)
        file.put(case, "inverse", stft.inverse(edited, samples))
    return file


def make_bottlenecks():
    file = File("inverted_bottleneck")
    base = dict(in_channels=4, out_channels=4, expansion=3, kernel_time=1, kernel_freq=3, stride_freq=1,
                upsample_freq=1, lookahead=0, dilation_time=1, norm="batch", activation="relu6", train=True)
    cases = dict(
        residual=dict(expansion=1),
        stride=dict(out_channels=5, stride_freq=2, train=False),
        upsample=dict(out_channels=3, upsample_freq=2, activation="prelu"),
        causal=dict(kernel_time=3, norm="none", activation="silu"),
        lookahead=dict(kernel_time=3, lookahead=1, expansion=1, activation="prelu", train=False),
        wide=dict(out_channels=6, kernel_time=3, kernel_freq=5, stride_freq=2),
        no_norm=dict(norm="none", out_channels=2, upsample_freq=3, kernel_time=5, lookahead=1),
        dilated=dict(kernel_time=3, dilation_time=2, lookahead=1, norm="instance", activation="prelu"))
    for case, changes in cases.items():
        options = base | changes
        train = options.pop("train")
        block = Bottleneck(**options).train(train)
        randomize(block, f"bottleneck/{case}")
        bins = 12
        file.cases[case] = dict(options, train=train, bins=bins)
        file.put(case, "state", state_of(block))
        x = draw(f"bottleneck/{case}/input", 2, 4, 7, bins, scale=2.0).requires_grad_()
        y = block(x)
        probe = draw(f"bottleneck/{case}/probe", *y.shape)
        (y * probe).sum().backward()
        file.cases[case]["macs_per_frame"] = count_macs(block, x, 2 * 7)
        file.put(case, "input", x)
        file.put(case, "output", y)
        file.put(case, "probe", probe)
        file.put(case, "grad_input", x.grad)
        file.put(case, "grad", {k: p.grad for k, p in block.named_parameters()})
        if train and options["norm"] == "batch":
            file.put(case, "after", {k: v for k, v in state_of(block).items() if "running" in k})
    return file


def make_losses():
    file = File("losses")
    lengths = dict(full=[400, 400], padded=[400, 250])
    for name, options in [("compressed_spectrum", dict(power=0.3, complex_weight=0.3, window=64, hop=16)),
                          ("si_sdr", {})]:
        for which, valid in lengths.items():
            case = f"{name}_{which}"
            clean = draw(f"{case}/clean", 2, 400, scale=0.1)
            estimate = (0.7 * clean + draw(f"{case}/noise", 2, 400, scale=0.05)).float().double().requires_grad_()
            items = []
            for b, length in enumerate(valid):
                pair = estimate[b, :length], clean[b, :length]
                if name == "si_sdr":
                    items.append(negative_si_sdr(*pair))
                else:
                    stft = Stft(options["window"], options["hop"], options["window"], "sqrt_hann")
                    items.append(compressed_spectrum(*pair, stft, options["power"], options["complex_weight"]))
            loss = torch.stack(items).mean()
            loss.backward()
            file.cases[case] = dict(options, name=name, valid=valid)
            file.put(case, "estimate", estimate)
            file.put(case, "clean", clean)
            file.put(case, "loss", loss)
            file.put(case, "grad", estimate.grad)
    return file


def make_cosine():
    file = File("cosine")

    def grid(channels, bins, hop, window, top=8000.0):
        return dict(channels=channels, edges=list(np.linspace(0, top, bins + 1)), hop=hop / 16000,
                    centre=(hop - window / 2) / 16000)

    student = grid(3, 4, 256, 512)
    cases = dict(frame_linear_map=("frame", "linear", student, grid(5, 4, 256, 512)),
                 bin_linear=("bin", "linear", student, grid(5, 4, 256, 512)),
                 utterance_linear=("utterance", "linear", student, grid(5, 4, 256, 512)),
                 frame_none=("frame", "none", student, grid(3, 4, 256, 512)),
                 frame_matrix=("frame", "frame_linear", student, grid(2, 4, 256, 512)),
                 frame_bottleneck=("frame", "inverted_bottleneck", student, grid(6, 4, 256, 512)),
                 other_bins=("frame", "linear", student, grid(5, 6, 256, 512)),
                 other_hop=("frame", "linear", student, grid(4, 4, 160, 320)),
                 all_other=("bin", "linear", student, grid(4, 10, 192, 768)))
    samples, valid = 2048, [2048, 1300]

    def frames(g, n):
        hop, centre = round(g["hop"] * 16000), round(g["centre"] * 16000)
        return -(-n // hop) + 2 * (hop - centre) // hop - 1

    for case, (granularity, kind, s_grid, t_grid) in cases.items():
        bins = len(s_grid["edges"]) - 1
        z = draw(f"{case}/student", 2, s_grid["channels"], frames(s_grid, samples), bins).requires_grad_()
        teacher = draw(f"{case}/teacher", 2, t_grid["channels"], frames(t_grid, samples), len(t_grid["edges"]) - 1)
        shapes = adapter_shapes(kind, s_grid["channels"], t_grid["channels"], bins)
        p = {k: draw(f"{case}/{k}", *shape, scale=0.5).requires_grad_() for k, shape in shapes.items()}
        adapted = adapt(kind, z, p)
        t = area_average(teacher.numpy(), t_grid["edges"], s_grid["edges"])
        t = area_average(t.swapaxes(2, 3), frame_edges(t_grid, t.shape[2]), frame_edges(s_grid, z.shape[2]))
        t = torch.from_numpy(np.ascontiguousarray(t.swapaxes(2, 3)))
        distances = []
        for b in range(2):
            last = frames(s_grid, valid[b])
            if granularity == "utterance":
                pairs = [(adapted[b, :, :last].reshape(-1), t[b, :, :last].reshape(-1))]
            elif granularity == "frame":
                pairs = [(adapted[b, :, i].reshape(-1), t[b, :, i].reshape(-1)) for i in range(last)]
            else:
                pairs = [(adapted[b, :, i, f], t[b, :, i, f]) for i in range(last) for f in range(bins)]
            distances += [1 - (x @ y) / (x.norm() * y.norm()) for x, y in pairs]
        loss = torch.stack(distances).mean()
        loss.backward()
        file.cases[case] = dict(granularity=granularity, adapter=kind, student=s_grid, teacher=t_grid,
                                valid_frames=[frames(s_grid, v) for v in valid])
        file.put(case, "student", z)
        file.put(case, "teacher", teacher)
        file.put(case, "state", p)
        file.put(case, "loss", loss)
        file.put(case, "grad_student", z.grad)
        file.put(case, "grad", {k: v.grad for k, v in p.items()})
    return file


def make_adamw():
    """Five steps with given gradients: decay on matrices only, joint clipping, warm-up of two steps, then a cosine."""
    file, case = File("adamw"), "adamw"
    options = dict(lr=0.05, beta1=0.8, beta2=0.95, epsilon=1e-8, weight_decay=0.1, clip_norm=2.0)
    schedule = dict(warmup_steps=2, final_ratio=0.1, steps=5)
    shapes = {"weight": (3, 4), "kernel": (2, 1, 3, 3), "bias": (3,), "slope": (1,)}
    parameters = {k: draw(f"adamw/{k}", *shape).requires_grad_() for k, shape in shapes.items()}
    optimizer = torch.optim.AdamW(
        [dict(params=[p for p in parameters.values() if p.dim() > 1], weight_decay=options["weight_decay"]),
         dict(params=[p for p in parameters.values() if p.dim() == 1], weight_decay=0.0)],
        betas=(options["beta1"], options["beta2"]), eps=options["epsilon"])
    file.cases[case] = dict(options, **schedule, norms=[], factors=[])
    file.put(case, "state", parameters)
    for step in range(schedule["steps"]):
        if step < 2:
            factor = (step + 1) / 2
        else:
            factor = 0.1 + 0.9 * (1 + math.cos(math.pi * (step - 2) / 3)) / 2
        for group in optimizer.param_groups:
            group["lr"] = options["lr"] * factor
        for key, p in parameters.items():
            # Steps 1 and 3 stay below the clipping norm.
            p.grad = draw(f"adamw/grad{step}/{key}", *shapes[key], scale=0.1 if step % 2 else 3.0)
            file.put(case, f"grad{step}/{key}", p.grad)
        norm = torch.sqrt(sum(p.grad.square().sum() for p in parameters.values()))
        for p in parameters.values():
            p.grad *= min(1.0, options["clip_norm"] / float(norm))
        optimizer.step()
        file.cases[case]["norms"].append(float(norm))
        file.cases[case]["factors"].append(factor)
        file.put(case, f"after{step}", parameters)
    return file


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    folder.mkdir(parents=True, exist_ok=True)
    for file in [make_stft(), make_bottlenecks(), make_losses(), make_cosine(), make_adamw()]:
        file.save(folder)
        print(f"{file.name}: {len(file.cases)} cases, {len(file.tensors)} tensors")


if __name__ == "__main__":
    main()
