"""Limbeck's transform and network in PyTorch, from their description; see make_golden.py.

Legend: B batch, C channel, T frame, F bin, L sample.
"""
import math

import torch
from torch import nn
from torch.nn import functional


class Stft:
    """Frame t covers samples [(t + 1) hop - window, (t + 1) hop); written as products with Fourier matrices."""

    def __init__(self, window, hop, fft, shape):
        n = torch.arange(window)
        hann = 0.5 * (1 - torch.cos(2 * math.pi * n / window))
        self.window = hann.sqrt() if shape == "sqrt_hann" else hann
        self.size, self.hop, self.fft = window, hop, fft
        self.angles = 2 * math.pi * torch.outer(torch.arange(window), torch.arange(fft // 2 + 1)) / fft  # [n, F]

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
            columns.append(torch.complex(piece @ torch.cos(self.angles), -(piece @ torch.sin(self.angles))))
        return torch.stack(columns, 1)  # [B, T, F]

    def inverse(self, spectrum, samples):
        """Least-squares overlap-add: sum of w y / sum of w^2."""
        weight = torch.full((self.fft // 2 + 1,), 2.0)
        weight[0] = weight[-1] = 1
        origin = self.size - self.hop  # samples before the signal
        total = origin + samples + self.size
        out = torch.zeros(spectrum.shape[0], total)
        norm = torch.zeros(total)
        for t in range(spectrum.shape[1]):
            s = spectrum[:, t] * weight
            y = (s.real @ torch.cos(self.angles).T - s.imag @ torch.sin(self.angles).T) / self.fft
            place = torch.zeros(total)
            place[t * self.hop:t * self.hop + self.size] = self.window
            norm = norm + place ** 2
            left = t * self.hop
            out = out + functional.pad(y * self.window, (left, total - left - self.size))
        return out[:, origin:origin + samples] / norm[origin:origin + samples]


class Conv(nn.Conv2d):
    """Keeps T: `lookahead` zeros in the future, the rest of the kernel in the past; bins centred."""

    def __init__(self, c_in, c_out, kernel_time=1, kernel_freq=1, stride=1, lookahead=0, depthwise=False, bias=True):
        super().__init__(c_in, c_out, (kernel_time, kernel_freq), (1, stride), groups=c_in if depthwise else 1,
                         bias=bias)
        side = kernel_freq // 2
        self.pads = (side, side, kernel_time - 1 - lookahead, lookahead)

    def forward(self, x):
        return super().forward(functional.pad(x, self.pads))


def make_norm(kind, channels):
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1) if kind == "batch" else nn.Identity()


def make_activation(kind, channels):
    return {"relu6": nn.ReLU6, "silu": nn.SiLU, "prelu": lambda: nn.PReLU(channels)}[kind]()


def spread(x, factor):
    """Group k of the channels becomes every factor-th bin, from bin k on."""
    batch, channels, frames, bins = x.shape
    groups = x.reshape(batch, factor, channels // factor, frames, bins)
    out = torch.zeros(batch, channels // factor, frames, bins * factor, dtype=x.dtype)
    for k in range(factor):
        out[..., k::factor] = groups[:, k]
    return out


class Bottleneck(nn.Module):
    def __init__(self, in_channels, out_channels, expansion, kernel_time, kernel_freq, stride_freq, upsample_freq,
                 lookahead, norm, activation):
        super().__init__()
        wide, bias = in_channels * expansion, norm == "none"
        if expansion > 1:
            self.expand = Conv(in_channels, wide, bias=bias)
            self.expand_norm = make_norm(norm, wide)
            self.expand_activation = make_activation(activation, wide)
        self.depthwise = Conv(wide, wide, kernel_time, kernel_freq, stride_freq, lookahead, True, bias)
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


class Temporal(nn.Module):
    def __init__(self, width, hidden, layers):
        super().__init__()
        self.recurrent = nn.GRU(width, hidden, layers, batch_first=True)
        self.output = nn.Linear(hidden, width)

    def forward(self, x):
        batch, channels, frames, bins = x.shape
        rows = torch.stack([x[:, :, t].reshape(batch, -1) for t in range(frames)], 1)  # [B, T, C F]
        y = self.output(self.recurrent(rows)[0])
        return x + torch.stack([y[:, t].reshape(batch, channels, bins) for t in range(frames)], 2)


class Autoencoder(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o = o
        s, stem, latent = o["stft"], o["stem"], o["latent"]
        self.stft = Stft(s["window_samples"], s["hop_samples"], s["fft_samples"], s["window"])
        self.future = o["lookahead_frames"]
        bias = o["norm"] == "none"
        self.stem = Conv(1 if o["features"] == "magnitude" else 2, stem["channels"], stem["kernel_time"],
                         stem["kernel_freq"], stem["stride"], self.give(stem["kernel_time"]), bias=bias)
        self.stem_norm = make_norm(o["norm"], stem["channels"])
        self.stem_activation = make_activation(o["activation"], stem["channels"])
        bins = s["fft_samples"] // 2 // stem["stride"]
        widths = [stem["channels"]] + [stage["channels"] for stage in o["encoder"]]
        self.encoder, self.decoder = [], []
        for i, stage in enumerate(o["encoder"]):
            self.encoder.append(self.stage(f"encoder{i}", stage, widths[i], widths[i + 1], True))
            bins //= stage["stride"]
        top = widths[-1]
        self.latent_in = Conv(top, latent["in_channels"])
        if o["temporal"]["type"] == "gru":
            self.temporal = Temporal(latent["in_channels"] * bins, o["temporal"]["hidden"], o["temporal"]["layers"])
        else:
            self.temporal = nn.Identity()
        self.latent = Conv(latent["in_channels"], latent["channels"])
        self.latent_out = Conv(latent["channels"], top, bias=bias)
        self.latent_out_norm = make_norm(o["norm"], top)
        self.latent_out_activation = make_activation(o["activation"], top)
        for i, stage in enumerate(reversed(o["encoder"])):
            self.decoder.append(self.stage(f"decoder{i}", stage, widths[-1 - i], widths[-2 - i], False))
        masks = 1 if o["mask"] == "real" else 2
        self.head = Conv(widths[0], masks * stem["stride"], 1, 3)

    def give(self, kernel_time):
        """The first kernels of the network see the future, each at most half of its own length."""
        frames = min(self.future, kernel_time // 2)
        self.future -= frames
        return frames

    def stage(self, name, stage, c_in, c_out, down):
        names = []
        for b in range(stage["blocks"]):
            changes = b == 0 if down else b == stage["blocks"] - 1
            block = Bottleneck(c_in, c_out if changes else c_in, self.o["expansion"], stage["kernel_time"],
                               stage["kernel_freq"], stage["stride"] if changes and down else 1,
                               stage["stride"] if changes and not down else 1, self.give(stage["kernel_time"]),
                               self.o["norm"], self.o["activation"])
            self.add_module(f"{name}_{b}", block)
            names.append(f"{name}_{b}")
            c_in = c_out if changes else c_in
        return names

    def forward(self, noisy):
        o, taps = self.o, {}
        spectrum = self.stft(noisy)
        low = spectrum[:, :, :-1]  # the network does not see the Nyquist bin
        magnitude = (low.real ** 2 + low.imag ** 2 + 1e-12).sqrt()
        if o["features"] == "magnitude":
            x = (magnitude ** o["compression"])[:, None]
        else:
            compressed = low * magnitude ** (o["compression"] - 1)
            x = torch.stack([compressed.real, compressed.imag], 1)
        x = self.stem_activation(self.stem_norm(self.stem(x)))
        skips = []
        for i, names in enumerate(self.encoder):
            for name in names:
                x = self.get_submodule(name)(x)
            taps[f"encoder.{i}"] = x
            skips.append(x)
        x = taps["latent_in"] = self.latent_in(x)
        x = taps["latent"] = self.latent(self.temporal(x))
        x = self.latent_out_activation(self.latent_out_norm(self.latent_out(x)))
        for i, names in enumerate(self.decoder):
            if o["skips"] == "add":
                x = x + skips.pop()
            for name in names:
                x = self.get_submodule(name)(x)
            taps[f"decoder.{i}"] = x
        x = spread(self.head(x), o["stem"]["stride"])
        mask = taps["mask"] = torch.sigmoid(x) if o["mask"] == "real" else x
        mask = torch.cat([mask, mask[..., -1:]], -1)
        mask = mask[:, 0] if o["mask"] == "real" else torch.complex(mask[:, 0], mask[:, 1])
        return self.stft.inverse(spectrum * mask, noisy.shape[1]), taps


def count_macs(module, x):
    """Products per frame of convolutions, linear maps and GRUs, counted by hooks in one pass."""
    counts = []

    def conv(layer, inputs, output):
        per_value = layer.weight[0].numel()
        counts.append(output.shape[1] * output.shape[3] * per_value)

    def linear(layer, inputs, output):
        counts.append(layer.in_features * layer.out_features)

    def recurrent(layer, inputs, output):
        counts.append(sum(w.numel() for k, w in layer.named_parameters() if k.startswith("weight")))

    handles = [m.register_forward_hook(f) for m in module.modules()
               for kind, f in ((nn.Conv2d, conv), (nn.Linear, linear), (nn.GRU, recurrent)) if isinstance(m, kind)]
    was_training = module.training
    with torch.no_grad():
        module.eval()(x)
    module.train(was_training)
    for handle in handles:
        handle.remove()
    return sum(counts)
