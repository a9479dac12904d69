#!/usr/bin/env python3
"""Times one training step of a network in Limbeck and of the same network in PyTorch, in one run.

    python3 -m pip install torch numpy pyyaml
    python3 tests/benchmarks/model_reference.py configs/model/demo_student.yaml [...] [--batch 4] [--seconds 2]
        [--threads 2] [--device cpu] [--steps 20] [--rounds 5] [--bin build/release/bin] [--summary]
        [--variants contiguous,channels_last,compile_contiguous,compile_channels_last]

A table of each configuration, or with --summary one line of each: how many times as long the fastest other way takes,
median and range of the ratios within the rounds. A step is the forward pass from samples to samples, SI-SDR as the loss, and the backward pass: medians over the steps of
a round after a warm-up, then over rounds, in which all take their turns. The last column is the median over rounds of
the ratio within a round. The optimizer and the data are left out on both sides. PyTorch runs
tests/golden/golden_model.py in float32, with a transform of its own here by torch.fft.

On a GPU (--device cuda) a part of a step is over when the device has nothing left to do, on both sides; TF32 is off.

What differs: Limbeck draws new mixtures of a made corpus for every step (the next one is made by another thread during
the step), PyTorch sees one batch of noise. The memory format of Limbeck is the configuration's.
torch.compile leaves complex numbers (the transform, the product with the mask) and GRUs to eager kernels.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))
from golden_model import Autoencoder, Stft, read_options  # noqa: E402


class FastStft:
    """What Stft computes, as one would write it in PyTorch."""

    def __init__(self, plain):
        self.size, self.hop, self.fft = plain.size, plain.hop, plain.fft
        self.window, self.synthesis = plain.window, plain.synthesis

    def __call__(self, x):
        frames = -(-x.shape[1] // self.hop) + self.size // self.hop - 1
        left = self.size - self.hop
        x = functional.pad(x, (left, (frames - 1) * self.hop + self.size - left - x.shape[1]))
        return torch.fft.rfft(x.unfold(1, self.size, self.hop) * self.window, self.fft)

    def inverse(self, spectrum, samples):
        y = torch.fft.irfft(spectrum, self.fft)[..., :self.size] * self.synthesis  # [B, T, window]
        total = (y.shape[1] - 1) * self.hop + self.size
        y = functional.fold(y.transpose(1, 2), (1, total), (1, self.size), stride=(1, self.hop))[:, 0, 0]
        return y[:, self.size - self.hop:self.size - self.hop + samples]

    def to(self, device):
        self.window, self.synthesis = self.window.to(device), self.synthesis.to(device)
        return self


def negative_si_sdr(estimate, clean):
    scale = (estimate * clean).sum(1, keepdim=True) / clean.square().sum(1, keepdim=True)
    target = scale * clean
    ratio = (target.square().sum(1) + 1e-10) / ((estimate - target).square().sum(1) + 1e-10)
    return -10 * torch.log10(ratio).mean()


class Denoiser(torch.nn.Module):
    """golden_model.py's network with the fast transform, samples in and samples out."""

    def __init__(self, options, device):
        super().__init__()
        self.network = Autoencoder(options).to(device)
        plain = Stft(64, 16, 128, "hann"), torch.randn(2, 300)
        fast, x = FastStft(plain[0]), plain[1]
        assert torch.allclose(fast.inverse(fast(x), 300), plain[0].inverse(plain[0](x), 300), atol=1e-5)
        self.network.stft = FastStft(self.network.stft).to(device)

    def forward(self, noisy):
        return self.network(noisy)[0]


class PyTorch:
    """One way to run the network."""

    def __init__(self, options, arguments, memory_format, compiled):
        torch.manual_seed(1)
        self.device = torch.device(arguments.device)
        self.model = Denoiser(options | dict(memory_format=memory_format), self.device).train()
        if memory_format == "channels_last":
            self.model = self.model.to(memory_format=torch.channels_last)
        samples = round(arguments.seconds * options["rate_hz"])
        self.clean, noise = 0.1 * torch.randn(2, arguments.batch, samples, device=self.device)
        self.noisy = self.clean + noise
        self.run = torch.compile(self.model) if compiled else self.model
        self.steps = arguments.steps
        start = time.perf_counter()
        self.step()
        self.first_seconds = time.perf_counter() - start

    def now(self):
        """When all is done that was asked for."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def step(self):
        """Milliseconds of the forward and of the backward pass."""
        self.model.zero_grad(set_to_none=True)
        marks = [self.now()]
        loss = negative_si_sdr(self.run(self.noisy), self.clean)
        marks.append(self.now())
        loss.backward()
        marks.append(self.now())
        return [1e3 * (b - a) for a, b in zip(marks, marks[1:])]

    def time(self):
        for _ in range(2):
            self.step()
        return [statistics.median(column) for column in zip(*(self.step() for _ in range(self.steps)))]


class Limbeck:
    """The executables, and a small corpus for them."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, Path(folder)
        self.call("prepare", "synthetic", "--out", self.folder / "corpus", "--minutes", 1, "--speakers", 8, "--quiet")
        for kind in ("clean", "noise"):
            self.call("prepare", "recordings", self.folder / "corpus" / kind, "--out", self.folder / f"{kind}.csv",
                      "--splits", self.folder / "corpus" / "manifest.csv", "--quiet")

    def call(self, tool, *words):
        command = [str(word) for word in (Path(self.arguments.bin) / f"limbeck-{tool}", *words)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def time(self, config):
        a = self.arguments
        settings = {"data.source.type": "mixtures", "data.source.speech": self.folder / "clean.csv",
                    "data.source.noise": self.folder / "noise.csv",
                    "data.segment_seconds": a.seconds, "train.batch_size": a.batch, "run.device": a.device,
                    "run.dir": self.folder / "run",
                    "objective.losses": "[{name: si_sdr, weight: 1}]"}
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        result = json.loads(self.call("bench", "step", config, *words, "--threads", a.threads, "--steps", a.steps,
                                      "--json"))
        assert result["threads"] == a.threads
        row = result["rows"][0]
        return row["forward_ms"], row["backward_ms"]


def measure(config, arguments, limbeck):
    """Milliseconds of the forward and of the backward pass, by way, of each round. Limbeck is the first way."""
    options = read_options(config)
    ways = {f"Limbeck, {options['memory_format']}": lambda: limbeck.time(config)}
    for variant in arguments.variants:
        compiled = variant.startswith("compile_")
        way = PyTorch(options, arguments, variant.removeprefix("compile_"), compiled)
        name = f"PyTorch eager, {variant}"
        if compiled:
            name = f"PyTorch compiled in {way.first_seconds:.0f} s, {variant.removeprefix('compile_')}"
        ways[name] = way.time
    return [{name: run() for name, run in ways.items()} for _ in range(arguments.rounds)]


def print_table(config, rounds):
    print(f"{config}\n\n| step in ms | forward | backward | both | range of both | of Limbeck's |\n"
          "|---|--:|--:|--:|--:|--:|")
    for name in rounds[0]:
        forward, backward = (statistics.median(r[name][part] for r in rounds) for part in (0, 1))
        both = [sum(r[name]) for r in rounds]
        share = statistics.median(sum(r[name]) / sum(next(iter(r.values()))) for r in rounds)
        print(f"| {name} | {forward:.1f} | {backward:.1f} | {statistics.median(both):.1f} | "
              f"{min(both):.1f} to {max(both):.1f} | {share:.2f} |")
    print(flush=True)


def print_line(config, rounds):
    """Of the summary: Limbeck against the fastest of the other ways."""
    both = {name: [sum(r[name]) for r in rounds] for name in rounds[0]}
    ours, *others = both
    best = min(others, key=lambda name: statistics.median(both[name]))
    ratios = [theirs / mine for theirs, mine in zip(both[best], both[ours])]
    print(f"| {Path(config).stem} | {statistics.median(both[ours]):.1f} | {min(both[ours]):.1f} to {max(both[ours]):.1f} | "
          f"{statistics.median(both[best]):.1f} | {min(both[best]):.1f} to {max(both[best]):.1f} | {best} | "
          f"{statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    parser.add_argument("configs", nargs="+", help="files with a section model:")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:i")
    parser.add_argument("--steps", type=int, default=20, help="timed steps of a round, at least 20")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--summary", action="store_true", help="one line a configuration")
    parser.add_argument("--variants", type=lambda text: text.split(","),
                        default="contiguous,channels_last,compile_channels_last")
    parser.add_argument("--bin", default="build/release/bin", help="folder of limbeck-bench")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    on = arguments.device if arguments.device == "cpu" else torch.cuda.get_device_name(arguments.device)
    with tempfile.TemporaryDirectory() as folder:
        limbeck = Limbeck(arguments, folder)
        print(f"PyTorch {torch.__version__}; {limbeck.call('bench', '--version').strip()}; "
              f"{on}, {arguments.threads} threads, batch {arguments.batch} x {arguments.seconds:g} s, "
              f"{arguments.rounds} rounds of {arguments.steps} steps\n")
        if arguments.summary:
            print("| network | Limbeck, ms | range | fastest other, ms | range | which | other / Limbeck | range |\n"
                  "|---|--:|--:|--:|--:|---|--:|--:|", flush=True)
        for config in arguments.configs:
            rounds = measure(config, arguments, limbeck)
            print_line(config, rounds) if arguments.summary else print_table(config, rounds)


if __name__ == "__main__":
    main()
