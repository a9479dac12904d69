"""Limbeck's distillation terms in PyTorch, item by item and frame by frame, from the formulas in docs/methods.md; see
make_distill_golden.py. Items are cut to what holds signal before anything is computed: no masks.

Of student vectors shorter than a tenth of the mean length Limbeck shortens the gradient (docs/methods.md, Silence); no
case has one, so that these gradients are those of the formulas. tests/objective/bounded_gradient_test.cpp has some.

Legend: B batch, C channel, T frame, F bin. A `side` is a list over items of [C, T_b, F].
"""
import torch
from torch.nn import functional

from golden_objective import adapt, area_matrix, frame_edges, mix, spectral_distance


def unit(x):
    return x / x.norm()


def cut(x, lengths):
    return [x[b, :, :n] for b, n in enumerate(lengths)]


def to_frames(x, t_grid, s_grid, frames):
    """[C, T', F'] -> [C, T, F']: the teacher's frames averaged onto the student's."""
    if t_grid["hop"] == s_grid["hop"] and t_grid["centre"] == s_grid["centre"] and x.shape[1] == frames:
        return x
    m = torch.from_numpy(area_matrix(frame_edges(t_grid, x.shape[1]), frame_edges(s_grid, frames)))
    return torch.einsum("ij,cjf->cif", m, x)


def to_bins(x, t_grid, s_grid):
    return torch.einsum("gf,ctf->ctg", torch.from_numpy(area_matrix(t_grid["edges"], s_grid["edges"])), x)


def to_grid(x, t_grid, s_grid, frames):
    return to_frames(to_bins(x, t_grid, s_grid), t_grid, s_grid, frames)


def cosine(student, teacher, granularity):
    distances = []
    for s, t in zip(student, teacher):
        frames, bins = s.shape[1:]
        if granularity == "utterance":
            pairs = [(s, t)]
        elif granularity == "frame":
            pairs = [(s[:, i], t[:, i]) for i in range(frames)]
        else:
            pairs = [(s[:, i, f], t[:, i, f]) for i in range(frames) for f in range(bins)]
        distances += [1 - (unit(x) * unit(y)).sum() for x, y in pairs]
    return torch.stack(distances).mean()


def fitnet(student, teacher):
    return torch.cat([((s - t) ** 2).reshape(-1) for s, t in zip(student, teacher)]).mean()


def attention(student, teacher_maps):
    """The teacher's side is its maps [1, T, F], on the student's grid."""
    return torch.stack([((unit((s ** 2).mean(0)) - unit(t[0])) ** 2).mean()
                        for s, t in zip(student, teacher_maps)]).mean()


def rows_of_products(vectors):
    """Row i: the products of vector i with all, of unit length (L2)."""
    return [unit(torch.stack([x @ y for y in vectors])) for x in vectors]


def gram_distance(student, teacher):
    rows = [((a - b) ** 2).sum() for a, b in zip(rows_of_products(student), rows_of_products(teacher))]
    return torch.stack(rows).sum() / len(rows) ** 2


def similarity(student, teacher, s_total, t_total):
    """Vectors of the whole batch's length, zero after the end of an item."""
    def vectors(side, total):
        return [functional.pad(x, (0, 0, 0, total - x.shape[1])).reshape(-1) for x in side]
    return gram_distance(vectors(student, s_total), vectors(teacher, t_total))


def frame_similarity(student, teacher, mean):
    losses = []
    for i in range(max(s.shape[1] for s in student)):
        present = [b for b, s in enumerate(student) if s.shape[1] > i]
        losses.append(gram_distance([student[b][:, i].reshape(-1) for b in present],
                                    [teacher[b][:, i].reshape(-1) for b in present]))
    return torch.stack(losses).mean() if mean else torch.stack(losses).sum()


def self_similarity(student, teacher, axis):
    def cosines(x):
        n = x.shape[1] if axis == "time" else x.shape[2]
        vectors = [unit((x[:, i] if axis == "time" else x[:, :, i]).reshape(-1)) for i in range(n)]
        return torch.stack([torch.stack([a @ b for b in vectors]) for a in vectors])
    return torch.stack([((cosines(s) - cosines(t)) ** 2).mean() for s, t in zip(student, teacher)]).mean()


def fusion_shapes(name, c_in, width, c_out, first):
    shapes = {"in_project.weight": (width, c_in, 1, 1), "in_project.bias": (width,),
              "out_project.weight": (c_out, width, 3, 3), "out_project.bias": (c_out,)}
    if not first:
        shapes |= {"attention.weight": (2, 2 * width, 1, 1), "attention.bias": (2,)}
    return {f"{name}.{k}": v for k, v in shapes.items()}


def fuse(chain, infos, p):
    """One item: chain is [(name, [C, T, F])] in the order of fusion; returns the features that face the teacher."""
    out, residual, before = [], None, None
    for name, x in chain:
        q = {k[len(name) + 1:]: v for k, v in p.items() if k.startswith(name + ".")}
        u = mix(x[None], q["in_project.weight"], q["in_project.bias"])[0]
        if residual is not None:
            r = to_bins(residual, infos[before], infos[name])
            maps = torch.sigmoid(mix(torch.cat([u, r])[None], q["attention.weight"], q["attention.bias"])[0])
            u = maps[0] * u + maps[1] * r
        residual, before = u, name
        padded = functional.pad(u, (1, 1, 1, 1))
        frames, bins = u.shape[1:]
        y = q["out_project.bias"][:, None, None] + sum(
            torch.einsum("oc,ctf->otf", q["out_project.weight"][:, :, i, j], padded[:, i:i + frames, j:j + bins])
            for i in range(3) for j in range(3))
        out.append(y)
    return out


def selective_output(student, teacher, clean, stft, o):
    """Lists over items of [L]."""
    distances = []
    for s, t, c in zip(student, teacher, clean):
        s, t, c = (stft(x[None])[0] for x in (s, t, c))  # [T, F]
        student_error = spectral_distance(s, c, o["power"], o["complex_weight"])
        teacher_error = spectral_distance(t, c, o["power"], o["complex_weight"])
        between = spectral_distance(s, t, o["power"], o["complex_weight"])
        frames, bins = s.shape
        bands = bins // o["patch_bins"]
        patches = []
        for first in range(0, frames, o["patch_frames"]):
            for k in range(bands):
                last_bin = bins if k == bands - 1 else (k + 1) * o["patch_bins"]
                where = (slice(first, first + o["patch_frames"]), slice(k * o["patch_bins"], last_bin))
                gap = float((student_error[where] - teacher_error[where]).detach().mean())
                patches.append((gap, where))
        patches.sort(key=lambda patch: -patch[0])
        for gap, where in patches[:-(-len(patches) * round(o["share"] * 100) // 100)]:
            if gap > 0:
                distances.append(between[where].reshape(-1))
    return torch.cat(distances).mean()
