"""Limbeck's transform and networks in PyTorch, from their description; see make_golden.py, make_network_golden.py and
read_model.py. The names of modules are those of the tensors in model files.

Legend: B batch, C channel, T frame, F bin or band, L sample.
"""
import math
from pathlib import Path

import torch
import yaml
from torch import nn
from torch.nn import functional

STAGE = dict(channels=16, blocks=1, stride=2, kernel_time=1, kernel_freq=3, dilation_time=1)
RECURRENT = dict(hidden=64, layers=1, groups=1)
TEMPORAL = dict(none={}, gru=RECURRENT, dual_path=RECURRENT)
DEFAULTS = dict(
    name="denoising_autoencoder", rate_hz=16000,
    stft=dict(window_samples=512, hop_samples=256, fft_samples=512, window="sqrt_hann"),
    bands=dict(kept=0, merged=0), features="complex", compression=0.3,
    stem=dict(channels=16, stride=2, kernel_time=1, kernel_freq=5), encoder=[STAGE] * 3, expansion=2, norm="batch",
    activation="relu6", latent=dict(channels=16, in_channels=16),
    temporal=dict(type="none"), skips="add", mask="complex", lookahead_frames=0, memory_format="channels_last")


def merge(below, above):
    """Maps merge, everything else is replaced."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: merge(below[key], value) if key in below else value for key, value in above.items()}


def complete(model):
    """Options of a network, with what they leave out and without those of temporal models that are not theirs."""
    unknown = set(model) - set(DEFAULTS)
    assert not unknown, f"unknown options: {unknown}"
    options = merge(DEFAULTS, model)
    options["encoder"] = [merge(STAGE, stage) for stage in options["encoder"]]
    temporal = options["temporal"]
    if isinstance(temporal, str):
        temporal = dict(type=temporal)
    own = dict(type=temporal["type"]) | TEMPORAL[temporal["type"]]
    options["temporal"] = {key: temporal.get(key, default) for key, default in own.items()}
    return options


def read_yaml(path):
    """A configuration file over those that it extends."""
    path, below = Path(path), {}
    own = yaml.safe_load(path.read_text())
    for base in own.pop("extends", []):
        below = merge(below, read_yaml(path.parent / base))
    return merge(below, own)


def read_options(path):
    """Options of the network in section `model:` of a configuration file."""
    return complete(read_yaml(path)["model"])


def rounded(x):
    """To float32, in which networks hold what is derived from their options."""
    return x.float().to(torch.get_default_dtype())


class Stft:
    """Frame t covers samples [(t + 1) hop - window, (t + 1) hop); written as products with Fourier matrices."""

    def __init__(self, window, hop, fft, shape):
        n = torch.arange(window, dtype=torch.float64)
        hann = 0.5 * (1 - torch.cos(2 * math.pi * n / window))
        self.window = hann.sqrt() if shape == "sqrt_hann" else hann
        overlap = (self.window ** 2).view(-1, hop).sum(0).repeat(window // hop)
        self.window, self.synthesis = rounded(self.window), rounded(self.window / overlap)
        self.size, self.hop, self.fft = window, hop, fft
        angles = 2 * math.pi * torch.outer(n, torch.arange(fft // 2 + 1)) / fft  # [n, F]
        self.cos, self.sin = (f(angles).to(torch.get_default_dtype()) for f in (torch.cos, torch.sin))

    def frames(self, samples):
        """The frames that touch the signal."""
        return sum(1 for t in range(samples + self.size) if t * self.hop + self.hop - self.size < samples)

    def __call__(self, x):
        columns = []
        for t in range(self.frames(x.shape[1])):
            start = (t + 1) * self.hop - self.size
            piece = x[:, max(start, 0):start + self.size]
            piece = functional.pad(piece, (max(-start, 0), self.size - max(-start, 0) - piece.shape[1]))
            piece = piece * self.window
            columns.append(torch.complex(piece @ self.cos, -(piece @ self.sin)))
        return torch.stack(columns, 1)  # [B, T, F]

    def inverse(self, spectrum, samples):
        """Overlap-add of w y / (sum of w^2 over the frames that overlap)."""
        weight = torch.full((self.fft // 2 + 1,), 2.0)
        weight[0] = weight[-1] = 1
        origin = self.size - self.hop  # samples before the signal
        total = origin + samples + self.size
        out = torch.zeros(spectrum.shape[0], total)
        for t in range(spectrum.shape[1]):
            s, left = spectrum[:, t] * weight, t * self.hop
            y = (s.real @ self.cos.T - s.imag @ self.sin.T) / self.fft * self.synthesis
            out = out + functional.pad(y, (left, total - left - self.size))
        return out[:, origin:origin + samples]


def erb(hz):
    return 21.4 * math.log10(1 + 0.00437 * hz)


def band_matrices(bins, bin_hz, kept, merged):
    """Merge [bins, bands] and split [bands, bins]: triangles on the ERB scale over the bins from `kept` on."""
    if merged == 0:
        return torch.eye(bins), torch.eye(bins)
    low, high = erb(kept * bin_hz), erb((bins - 1) * bin_hz)
    scale = [low + j * (high - low) / (merged - 1) for j in range(merged)]
    centres = [(10 ** (e / 21.4) - 1) / 0.00437 / bin_hz for e in scale]
    centres[0], centres[-1] = kept, bins - 1  # exact
    assert all(b - a >= 1 for a, b in zip(centres, centres[1:])), "bands narrower than a bin"
    split = torch.zeros(kept + merged, bins, dtype=torch.float64)
    split[:kept, :kept] = torch.eye(kept)
    for j, centre in enumerate(centres):
        for b in range(kept, bins):
            if j > 0 and centres[j - 1] <= b <= centre:
                split[kept + j, b] = (b - centres[j - 1]) / (centre - centres[j - 1])
            if j < merged - 1 and centre <= b <= centres[j + 1]:
                split[kept + j, b] = (centres[j + 1] - b) / (centres[j + 1] - centre)
    return rounded((split / split.sum(1, keepdim=True)).T), rounded(split)


class Conv(nn.Conv2d):
    """Keeps T: `lookahead` zeros in the future, the rest of the span in the past; bins centred."""

    def __init__(self, c_in, c_out, kernel_time=1, kernel_freq=1, stride=1, dilation=1, lookahead=0, depthwise=False,
                 bias=True):
        super().__init__(c_in, c_out, (kernel_time, kernel_freq), (1, stride), (0, kernel_freq // 2), (dilation, 1),
                         groups=c_in if depthwise else 1, bias=bias)
        self.past, self.future = (kernel_time - 1) * dilation - lookahead, lookahead

    def forward(self, x):
        if self.past or self.future:
            x = functional.pad(x, (0, 0, self.past, self.future))
        return super().forward(x)


class CumulativeNorm(nn.Module):
    """Mean and variance of an item's channel over all bins of the frames up to each one."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        count = x.shape[3] * torch.arange(1, x.shape[2] + 1, device=x.device)[:, None]  # [T, 1]
        mean = x.sum(3, keepdim=True).cumsum(2) / count
        variance = (x ** 2).sum(3, keepdim=True).cumsum(2) / count - mean ** 2
        return (x - mean) / (variance + 1e-5).sqrt() * self.weight[:, None, None] + self.bias[:, None, None]


def make_norm(kind, channels):
    return {"batch": lambda: nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1),
            "instance": lambda: CumulativeNorm(channels), "none": nn.Identity}[kind]()


def make_activation(kind, channels):
    return {"relu6": nn.ReLU6, "silu": nn.SiLU, "prelu": lambda: nn.PReLU(channels)}[kind]()


def spread(x, factor):
    """Group k of the channels becomes every factor-th bin, from bin k on."""
    if factor == 1:
        return x
    return torch.stack(x.chunk(factor, 1), -1).flatten(3)


class Bottleneck(nn.Module):
    def __init__(self, in_channels, out_channels, expansion, kernel_time, kernel_freq, stride_freq, upsample_freq,
                 lookahead, norm, activation, dilation_time=1):
        super().__init__()
        wide, bias = in_channels * expansion, norm == "none"
        if expansion > 1:
            self.expand = Conv(in_channels, wide, bias=bias)
            self.expand_norm = make_norm(norm, wide)
            self.expand_activation = make_activation(activation, wide)
        self.depthwise = Conv(wide, wide, kernel_time, kernel_freq, stride_freq, dilation_time, lookahead, True, bias)
        self.depthwise_norm = make_norm(norm, wide)
        self.depthwise_activation = make_activation(activation, wide)
        self.project = Conv(wide, out_channels * upsample_freq, bias=bias)
        self.project_norm = make_norm(norm, out_channels)
        self.upsample = upsample_freq

    def forward(self, x):
        y = x
        if hasattr(self, "expand"):
            y = self.expand_activation(self.expand_norm(self.expand(y)))
        y = self.depthwise_activation(self.depthwise_norm(self.depthwise(y)))
        y = self.project_norm(spread(self.project(y), self.upsample))
        return x + y if x.shape == y.shape else y


class GroupedGru(nn.Module):
    """Consecutive pieces of the input through GRUs of their own; `hidden` units in all."""

    def __init__(self, width, hidden, layers, groups, bidirectional=False):
        super().__init__()
        units = hidden // groups // (2 if bidirectional else 1)
        for k in range(groups):
            self.add_module(f"group{k}", nn.GRU(width // groups, units, layers, batch_first=True,
                                                bidirectional=bidirectional))

    def forward(self, rows):
        pieces = rows.chunk(len(self._modules), 2)
        return torch.cat([gru(piece)[0] for gru, piece in zip(self.children(), pieces)], 2)


class FrameGru(nn.Module):
    def __init__(self, channels, bins, hidden, layers, groups):
        super().__init__()
        self.recurrent = GroupedGru(channels * bins, hidden, layers, groups)
        self.output = nn.Linear(hidden, channels * bins)

    def forward(self, x):
        rows = x.transpose(1, 2).flatten(2)  # [B, T, C F]
        return x + self.output(self.recurrent(rows)).unflatten(2, (x.shape[1], x.shape[3])).transpose(1, 2)


class RecurrentPath(nn.Module):
    """A GRU over the bins of each frame, in both directions, or over the frames of each bin."""

    def __init__(self, channels, hidden, groups, norm, over_bins):
        super().__init__()
        self.over_bins = over_bins
        self.recurrent = GroupedGru(channels, hidden, 1, groups, bidirectional=over_bins)
        self.output = Conv(hidden, channels, bias=norm == "none")
        self.norm = make_norm(norm, channels)

    def forward(self, x):
        rows = x.permute((0, 2, 3, 1) if self.over_bins else (0, 3, 2, 1))  # [B, T or F, steps, C]
        y = self.recurrent(rows.flatten(0, 1)).unflatten(0, rows.shape[:2])
        return x + self.norm(self.output(y.permute((0, 3, 1, 2) if self.over_bins else (0, 3, 2, 1))))


class DualPath(nn.Sequential):
    def __init__(self, channels, hidden, layers, groups, norm):
        super().__init__()
        for i in range(layers):
            block = nn.Sequential()
            block.add_module("intra", RecurrentPath(channels, hidden, groups, norm, True))
            block.add_module("inter", RecurrentPath(channels, hidden, groups, norm, False))
            self.add_module(f"block{i}", block)


class Autoencoder(nn.Module):
    """Takes complete() options."""

    def __init__(self, o):
        super().__init__()
        self.o = o
        s, stem, latent, temporal = o["stft"], o["stem"], o["latent"], o["temporal"]
        self.stft = Stft(s["window_samples"], s["hop_samples"], s["fft_samples"], s["window"])
        bins = s["fft_samples"] // 2  # the network does not see the Nyquist bin
        merging, splitting = band_matrices(bins, o["rate_hz"] / s["fft_samples"], **o["bands"])
        self.register_buffer("merging", merging, persistent=False)
        self.register_buffer("splitting", splitting, persistent=False)
        self.future = o["lookahead_frames"]
        bias = o["norm"] == "none"
        features = {"magnitude": 1, "log_magnitude": 1, "complex": 2, "magnitude_complex": 3}[o["features"]]
        self.stem = Conv(features, stem["channels"], stem["kernel_time"], stem["kernel_freq"], stem["stride"],
                         lookahead=self.give(stem["kernel_time"], 1), bias=bias)
        self.stem_norm = make_norm(o["norm"], stem["channels"])
        self.stem_activation = make_activation(o["activation"], stem["channels"])
        latent_bins = merging.shape[1] // stem["stride"]
        widths = [stem["channels"]] + [stage["channels"] for stage in o["encoder"]]
        self.encoder, self.decoder = [], []
        for i, stage in enumerate(o["encoder"]):
            self.encoder.append(self.stage(f"encoder{i}", stage, widths[i], widths[i + 1], True))
            latent_bins //= stage["stride"]
        top, inner = widths[-1], latent["in_channels"]
        self.latent_in = Conv(top, inner)
        sizes = {key: value for key, value in temporal.items() if key != "type"}
        self.temporal = {"none": nn.Identity, "gru": lambda: FrameGru(inner, latent_bins, **sizes),
                         "dual_path": lambda: DualPath(inner, **sizes, norm=o["norm"])}[temporal["type"]]()
        self.latent = Conv(inner, latent["channels"])
        self.latent_out = Conv(latent["channels"], top, bias=bias)
        self.latent_out_norm = make_norm(o["norm"], top)
        self.latent_out_activation = make_activation(o["activation"], top)
        for i, stage in enumerate(reversed(o["encoder"])):
            if o["skips"] == "concat":
                self.add_module(f"skip{i}", Conv(2 * widths[-1 - i], widths[-1 - i]))
            self.decoder.append(self.stage(f"decoder{i}", stage, widths[-1 - i], widths[-2 - i], False))
        masks = 1 if o["mask"] == "real" else 2
        self.head = Conv(widths[0], masks * stem["stride"], 1, 3)

    def give(self, kernel_time, dilation):
        """The first kernels of the network see the future, each at most half of its own length."""
        frames = min(self.future, kernel_time // 2 * dilation)
        self.future -= frames
        return frames

    def stage(self, name, stage, c_in, c_out, down):
        names = []
        for b in range(stage["blocks"]):
            changes = b == 0 if down else b == stage["blocks"] - 1
            block = Bottleneck(c_in, c_out if changes else c_in, self.o["expansion"], stage["kernel_time"],
                               stage["kernel_freq"], stage["stride"] if changes and down else 1,
                               stage["stride"] if changes and not down else 1,
                               self.give(stage["kernel_time"], stage["dilation_time"]), self.o["norm"],
                               self.o["activation"], stage["dilation_time"])
            self.add_module(f"{name}_{b}", block)
            names.append(f"{name}_{b}")
            c_in = c_out if changes else c_in
        return names

    def features(self, spectrum):
        low = spectrum[:, :, :-1]
        power = low.real ** 2 + low.imag ** 2 + 1e-12
        magnitude = power ** (self.o["compression"] / 2)
        gain = power ** ((self.o["compression"] - 1) / 2)
        pair = [low.real * gain, low.imag * gain]
        x = {"magnitude": [magnitude], "log_magnitude": [torch.log10(power + 1e-8) / 4], "complex": pair,
             "magnitude_complex": [magnitude] + pair}[self.o["features"]]
        x = torch.stack(x, 1)
        return x @ self.merging if self.o["bands"]["merged"] else x

    def limit(self, x):
        if self.o["mask"] == "real":
            return torch.sigmoid(x)
        if self.o["mask"] == "bounded_complex":
            r = (x[:, :1] ** 2 + x[:, 1:] ** 2 + 1e-12).sqrt()
            return x * 2 * torch.tanh(r / 2) / r
        return x

    def forward(self, noisy):
        o, taps = self.o, {}
        spectrum = self.stft(noisy)
        x = self.features(spectrum)
        if o["memory_format"] == "channels_last":
            x = x.contiguous(memory_format=torch.channels_last)
        x = taps["stem"] = self.stem_activation(self.stem_norm(self.stem(x)))
        skips = []
        for i, names in enumerate(self.encoder):
            for name in names:
                x = getattr(self, name)(x)
            taps[f"encoder.{i}"] = x
            skips.append(x)
        x = taps["latent_in"] = self.latent_in(x)
        x = taps["latent"] = self.latent(self.temporal(x))
        x = self.latent_out_activation(self.latent_out_norm(self.latent_out(x)))
        for i, names in enumerate(self.decoder):
            if o["skips"] == "add":
                x = x + skips.pop()
            elif o["skips"] == "concat":
                x = getattr(self, f"skip{i}")(torch.cat([x, skips.pop()], 1))
            for name in names:
                x = getattr(self, name)(x)
            taps[f"decoder.{i}"] = x
        mask = taps["mask"] = self.limit(spread(self.head(x), o["stem"]["stride"]))
        if o["bands"]["merged"]:
            mask = mask @ self.splitting
        mask = torch.cat([mask, mask[..., -1:]], -1)
        mask = mask[:, 0] if o["mask"] == "real" else torch.complex(mask[:, 0], mask[:, 1])
        return self.stft.inverse(spectrum * mask, noisy.shape[1]), taps


def count_macs(module, x, frames):
    """Products per frame of convolutions, linear maps and GRUs, counted by hooks in one pass over x: `frames` frames
    in all items together."""
    counts = []

    def conv(layer, inputs, output):
        counts.append(output.numel() * layer.weight[0].numel())

    def linear(layer, inputs, output):
        counts.append(output.numel() * layer.in_features)

    def recurrent(layer, inputs, output):
        steps = inputs[0].shape[0] * inputs[0].shape[1]
        counts.append(steps * sum(w.numel() for k, w in layer.named_parameters() if k.startswith("weight")))

    handles = [m.register_forward_hook(f) for m in module.modules()
               for kind, f in ((nn.Conv2d, conv), (nn.Linear, linear), (nn.GRU, recurrent)) if isinstance(m, kind)]
    was_training = module.training
    with torch.no_grad():
        module.eval()(x)
    module.train(was_training)
    for handle in handles:
        handle.remove()
    assert sum(counts) % frames == 0
    return sum(counts) // frames
