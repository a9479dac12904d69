#!/usr/bin/env python3
"""Writes tests/golden/data/padded_networks.safetensors: what the networks of make_network_golden.py must give in
training for a batch whose items are shorter than it. Here there is no padding at all: every item runs through
golden_model.py by itself, at its own length, in double precision, and the batch norms alone see the items together.

Needs and is called like make_network_golden.py. Nothing is stored whole: of estimates, taps, gradients and running
statistics (with zeros behind an item's end) the norm and four dot products each, rows in the order of names.
"""
import json
import sys
import threading
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from golden_model import Autoencoder
from golden_values import fill, project, state_of, uniform
from make_network_golden import draw_options, presets, save, to_yaml, watch_kinks

FRAMES, ITEMS = 20, 3


class Meeting:
    """Runs each item in a thread of its own. They meet at every batch norm, which runs once, on all numbers."""

    def __init__(self, model, items):
        self.barrier, self.here, self.items = threading.Barrier(items), threading.local(), items
        self.inputs, self.outputs = [None] * items, None
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.forward = self.joined(layer.forward)

    def joined(self, norm):
        def forward(x):
            self.inputs[self.here.item] = x
            if self.barrier.wait() == 0:
                rows = [y[0].flatten(1) for y in self.inputs]  # [C, T F]
                together = norm(torch.cat(rows, 1)[None, :, :, None])[0, :, :, 0]
                pieces = together.split([r.shape[1] for r in rows], 1)
                self.outputs = [p.reshape(y.shape) for p, y in zip(pieces, self.inputs)]
            self.barrier.wait()
            return self.outputs[self.here.item]
        return forward

    def run(self, f):
        """f(item) of every item."""
        results = [None] * self.items

        def of(item):
            self.here.item = item
            try:
                results[item] = f(item)
            finally:
                if results[item] is None:
                    self.barrier.abort()

        threads = [threading.Thread(target=of, args=(item,)) for item in range(self.items)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results


def batch(pieces, axis, size):
    """Items of other lengths as one tensor, with zeros behind their ends."""
    after = pieces[0].dim() - 1 - axis
    return torch.cat([functional.pad(p, (0, 0) * after + (0, size - p.shape[axis])) for p in pieces])


def compute(name, samples, options):
    """The case's options and tensors."""
    model = Autoencoder(options)
    fill(model, name)
    hop = options["stft"]["hop_samples"]
    # No frame with hardly a sample, of whose bins float32 holds nothing.
    lengths = [samples, 13 * hop - hop // 4, 6 * hop]
    prefix = f"{name}/padded"
    x = (0.1 * uniform(f"{prefix}/noisy", ITEMS, samples)).float().double().requires_grad_()
    distances = watch_kinks(model)
    meeting = Meeting(model.train(), ITEMS)
    results = meeting.run(lambda b: model(x[b:b + 1, :lengths[b]]))
    estimate = batch([e for e, _ in results], 1, samples)
    (estimate * uniform(f"{prefix}/probe", *estimate.shape)).sum().backward()
    frames = model.stft.frames(samples)
    taps = {key: batch([t[key] for _, t in results], 2, frames) for key in results[0][1]} | {"estimate": estimate}
    gradients = {key: p.grad for key, p in model.named_parameters()} | {"": x.grad}
    statistics = {key: value for key, value in state_of(model).items() if ".running_" in key}
    tensors = {role: torch.stack([project(f"{prefix}/{role}/{key}", values[key]) for key in sorted(values)])
               for role, values in (("taps", taps), ("gradients", gradients), ("statistics", statistics)) if values}
    case = dict(lengths=lengths, kink_distance=min(distances, default=1.0), yaml=to_yaml(options))
    return case, {key: value.detach().float().contiguous() for key, value in tensors.items()}


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    cases, tensors = {}, {}
    for name, _, hop, options in [*presets(), *draw_options()]:
        cases[name], values = compute(name, FRAMES * hop - hop // 3, options)
        tensors |= {f"{name}/{key}": value for key, value in values.items()}
        print(f"{name}: {len(values['gradients'])} gradients")
    save(folder / "padded_networks.safetensors", tensors, {"cases": json.dumps(cases, sort_keys=True)})


if __name__ == "__main__":
    main()
