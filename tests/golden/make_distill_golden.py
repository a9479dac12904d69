#!/usr/bin/env python3
"""Writes the golden values of the distillation terms, tests/golden/data/distill_<method>.safetensors, from
golden_distill.py; needs what make_golden.py needs, and is called like it.

Every case is a batch of three items, with or without padding. Names in the files are `case/role/name`; the roles are
student, teacher (taps), clean, student_estimate, teacher_estimate, state (parameters), loss, grad_student,
grad_estimate and grad (of the parameters).
"""
import sys
from pathlib import Path

import numpy as np
import torch

import golden_distill as g
from golden_model import Stft
from golden_objective import adapt, adapter_shapes, compressed_spectrum, negative_si_sdr
from make_golden import File, draw

SAMPLES = 1500
PADDED, FULL = [1500, 900, 600], [1500, 1500, 1500]


def grid(channels, edges, hop=256, window=512):
    """`edges`: a number of equal bands up to 8 kHz, or their edges in Hz."""
    edges = list(np.linspace(0, 8000, edges + 1)) if isinstance(edges, int) else edges
    return dict(channels=channels, edges=edges, hop=hop / 16000, centre=(hop - window / 2) / 16000)


MERGED = [0.0, 250.0, 700.0, 1500.0, 3300.0, 8000.0]  # wider bands at the top, as merged ones are
OTHER = dict(hop=160, window=320)


def frames(info, samples):
    """Frames that touch the signal: frame t begins at its centre less half a window."""
    hop, centre = round(info["hop"] * 16000), round(info["centre"] * 16000)
    half = hop - centre
    return sum(1 for t in range(samples) if t * hop + centre - half < samples)


class Case:
    """Draws the taps of both sides, and cuts them to what holds signal."""

    def __init__(self, name, yaml, student, teacher, valid):
        self.name, self.valid = name, valid
        self.infos = student, teacher
        self.options = dict(yaml=yaml, student=student, teacher=teacher, valid=valid)
        self.taps = [{tap: draw(f"{name}/{side}/{tap}", 3, info["channels"], frames(info, SAMPLES),
                                len(info["edges"]) - 1) for tap, info in infos.items()}
                     for side, infos in (("student", student), ("teacher", teacher))]
        for x in self.taps[0].values():
            x.requires_grad_()
        self.p = {}

    def parameters(self, shapes):
        new = {k: draw(f"{self.name}/{k}", *shape, scale=0.5).requires_grad_() for k, shape in shapes.items()}
        self.p |= new
        return new

    def side(self, which, tap):
        """A list over items of [C, T_b, F]."""
        return g.cut(self.taps[which][tap], [frames(self.infos[which][tap], n) for n in self.valid])

    def adapter(self, tap, other, kind, module):
        info, teacher = self.infos[0][tap], self.infos[1][other]
        p = self.parameters({f"{module}.{k}": shape for k, shape in
                             adapter_shapes(kind, info["channels"], teacher["channels"],
                                            len(info["edges"]) - 1).items()})
        p = {k[len(module) + 1:]: v for k, v in p.items()}
        return [adapt(kind, x[None], p)[0] for x in self.side(0, tap)]

    def moved(self, other, tap, how):
        """The teacher's tap on the grid of the student's."""
        return [how(t, self.infos[1][other], self.infos[0][tap], s.shape[1])
                for t, s in zip(self.side(1, other), self.side(0, tap))]

    def write(self, file, loss):
        loss.backward()
        file.cases[self.name] = self.options
        file.put(self.name, "student", self.taps[0])
        file.put(self.name, "teacher", self.taps[1])
        file.put(self.name, "state", self.p)
        file.put(self.name, "loss", loss)
        file.put(self.name, "grad_student", {k: x.grad for k, x in self.taps[0].items()})
        file.put(self.name, "grad", {k: x.grad for k, x in self.p.items()})


def text(method, **options):
    return "{name: %s%s}" % (method, "".join(f", {k}: {v}" for k, v in options.items()))


def adapted_cases(method, compare, **options):
    file = File(f"distill_{method}")
    for name, kind, student, teacher, valid in [
            ("same", "none", grid(3, 4), grid(3, 4), FULL),
            ("linear_padded", "linear", grid(3, 4), grid(4, 4), PADDED),
            ("matrix_other_grid", "frame_linear", grid(2, 3), grid(3, MERGED, **OTHER), PADDED),
            ("bottleneck_to_merged", "inverted_bottleneck", grid(2, MERGED), grid(3, 6, 128, 512), PADDED)]:
        case = Case(name, text(method, adapter="{type: %s}" % kind, **options), dict(latent=student),
                    dict(latent=teacher), valid)
        case.write(file, compare(case.adapter("latent", "latent", kind, "adapter"),
                                 case.moved("latent", "latent", g.to_grid)))
    student, teacher = dict(latent=grid(3, 4), middle=grid(2, 2)), dict(latent=grid(2, 4), middle=grid(4, 4))
    case = Case("two_taps", text(method, student="[latent, middle]", teacher="[middle, latent]",
                                 adapter="{type: linear}", **options), student, teacher, PADDED)
    case.write(file, (compare(case.adapter("latent", "middle", "linear", "adapter_0"),
                              case.moved("middle", "latent", g.to_grid))
                      + compare(case.adapter("middle", "latent", "linear", "adapter_1"),
                                case.moved("latent", "middle", g.to_grid))) / 2)
    return file


def plain_cases(method, compare, variants):
    """Terms without adapters on equal and on other grids; `variants`: name -> options."""
    file = File(f"distill_{method}")
    for variant, options in variants.items():
        for name, student, teacher, valid in [("same", grid(3, 4), grid(3, 4), FULL),
                                              ("padded", grid(2, 4), grid(5, 4), PADDED),
                                              ("other_grid", grid(3, 4), grid(4, MERGED, **OTHER), PADDED)]:
            case = Case(f"{variant}_{name}", text(method, **options), dict(latent=student), dict(latent=teacher),
                        valid)
            case.write(file, compare(case, **options))
    return file


def attention(case):
    maps = [(t ** 2).mean(0, keepdim=True) for t in case.side(1, "latent")]
    maps = [g.to_grid(m, case.infos[1]["latent"], case.infos[0]["latent"], s.shape[1])
            for m, s in zip(maps, case.side(0, "latent"))]
    return g.attention(case.side(0, "latent"), maps)


def similarity(case):
    return g.similarity(case.side(0, "latent"), case.side(1, "latent"), case.taps[0]["latent"].shape[2],
                        case.taps[1]["latent"].shape[2])


def frame_similarity(case, reduction="sum"):
    return g.frame_similarity(case.side(0, "latent"), case.moved("latent", "latent", g.to_frames),
                              reduction == "mean")


def self_similarity(case, axis):
    how = g.to_frames if axis == "time" else g.to_grid
    return g.self_similarity(case.side(0, "latent"), case.moved("latent", "latent", how), axis)


def make_clskd():
    file = File("distill_clskd")
    student = {"encoder.0": grid(2, 4), "encoder.1": grid(3, 2), "encoder.2": grid(2, 1), "latent": grid(2, 1),
               "decoder.0": grid(3, 2), "decoder.1": grid(2, 4)}
    teacher = {"encoder.0": grid(3, 6), "encoder.1": grid(4, 3), "encoder.2": grid(2, 3), "decoder.0": grid(2, 3),
               "decoder.1": grid(3, 6)}
    far = {k: dict(v, hop=0.01, centre=0.0) for k, v in teacher.items()}
    every = {k: k for k in teacher}
    named = {"encoder.0": "encoder.1", "encoder.2": "decoder.0"}
    for name, options, pairs, other, valid in [
            ("all", {}, every, teacher, FULL), ("all_padded", {}, every, far, PADDED),
            ("named", dict(student="[encoder.0, encoder.2]", teacher="[encoder.1, decoder.0]", reduction="mean"),
             named, teacher, PADDED)]:
        case = Case(name, text("clskd", width=3, **options), student, other, valid)
        names = list(student)
        chains = [[k for k in reversed(names) if k in pairs and k.startswith("encoder")],
                  [k for k in names if k in pairs and k.startswith("decoder")]]
        losses = []
        for chain in filter(None, chains):
            for i, tap in enumerate(chain):
                case.parameters(g.fusion_shapes(tap.replace(".", "_"), student[tap]["channels"], 3,
                                                other[pairs[tap]]["channels"], i == 0))
            infos = {tap.replace(".", "_"): student[tap] for tap in chain}
            items = [g.fuse([(tap.replace(".", "_"), case.side(0, tap)[b]) for tap in chain], infos, case.p)
                     for b in range(3)]
            for i, tap in enumerate(chain):
                losses.append(g.frame_similarity([item[i] for item in items], case.moved(pairs[tap], tap, g.to_frames),
                                                 name == "named"))
        used = {tap for chain in chains for tap in chain}
        for side, keep in ((0, used), (1, set(pairs.values()))):
            case.taps[side] = {k: v for k, v in case.taps[side].items() if k in keep}
        case.write(file, torch.stack(losses).mean())
    return file


def make_estimates(method, compare, variants):
    file = File(f"distill_{method}")
    for name, options in variants.items():
        valid = [n * 2 // 5 for n in (PADDED if "padded" in name else FULL)]  # 600, 360, 240
        clean = draw(f"{method}/{name}/clean", 3, 600, scale=0.1)
        teacher = (0.9 * clean + draw(f"{method}/{name}/teacher", 3, 600, scale=0.06)).float().double()
        student = (0.7 * clean + draw(f"{method}/{name}/student", 3, 600, scale=0.06)).float().double()
        student.requires_grad_()
        items = [[x[b, :n] for b, n in enumerate(valid)] for x in (student, teacher, clean)]
        loss = compare(*items, options)
        loss.backward()
        yaml = {k: v for k, v in options.items() if k not in ("objective",)}
        file.cases[name] = dict(yaml=text(method, **yaml), valid=valid, objective=options.get("objective", ""))
        for role, value in [("clean", clean), ("teacher_estimate", teacher), ("student_estimate", student),
                            ("loss", loss), ("grad_estimate", student.grad)]:
            file.put(name, role, value)
    return file


def output(student, teacher, _, __):
    stft = Stft(64, 16, 64, "sqrt_hann")
    pairs = list(zip(student, teacher))
    return (2 * torch.stack([compressed_spectrum(s, t, stft, 0.3, 0.3) for s, t in pairs]).mean()
            + 0.01 * torch.stack([negative_si_sdr(s, t) for s, t in pairs]).mean())


OBJECTIVE = ("losses: [{name: compressed_spectrum, weight: 2, stft: {window_samples: 64, hop_samples: 16, "
             "fft_samples: 64}}, {name: si_sdr, weight: 0.01}]")
PATCHES = dict(share=0.4, patch_bins=5, patch_frames=4, power=0.3, complex_weight=0.3,
               stft="{window_samples: 32, hop_samples: 8, fft_samples: 32, window: hann}")


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    folder.mkdir(parents=True, exist_ok=True)
    for file in [
            adapted_cases("cosine", lambda s, t: g.cosine(s, t, "frame")), adapted_cases("fitnet", g.fitnet),
            plain_cases("attention", attention, {"map": {}}), plain_cases("similarity", similarity, {"batch": {}}),
            plain_cases("frame_similarity", frame_similarity, {"sum": {}, "mean": dict(reduction="mean")}),
            plain_cases("self_similarity", self_similarity, {"time": dict(axis="time"),
                                                             "frequency": dict(axis="frequency")}),
            make_clskd(),
            make_estimates("output", output, dict(full=dict(objective=OBJECTIVE), padded=dict(objective=OBJECTIVE))),
            make_estimates("selective_output",
                           lambda s, t, c, o: g.selective_output(s, t, c, Stft(32, 8, 32, "hann"), o),
                           dict(full=PATCHES, padded=dict(PATCHES, share=0.25, patch_bins=4, patch_frames=3,
                                                          power=0.5, complex_weight=0.6)))]:
        file.save(folder)
        print(f"{file.name}: {len(file.cases)} cases, {len(file.tensors)} tensors")


if __name__ == "__main__":
    main()
