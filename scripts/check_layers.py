#!/usr/bin/env python3
"""Holds the includes of include/limbeck, src and tools against the layers of the design: who may
include whom, and that nobody includes the private headers of another layer.

Nor may two headers define types of one name: the linker takes the members of either for both.

Usage: check_layers.py [--root DIR] | --self-test

Prints FILE:LINE: what is wrong, and exits with 1 if anything is.
"""

import argparse
import pathlib
import posixpath
import re
import sys
import tempfile

# Layer -> what it may include besides itself and, for the source files, its own headers.
LAYERS = {
    "core": set(),
    "config": {"core"},
    "audio": {"core", "config"},
    "metric": {"core", "config", "audio"},
    "data": {"core", "config", "audio"},
    "corpus": {"core", "config", "audio", "data"},
    "run": {"core", "config", "data"},
    "nn": {"core", "config", "audio"},
    "objective": {"core", "config", "audio", "nn"},
    "train": {"core", "config", "audio", "metric", "data", "run", "nn", "objective"},
    "eval": {"core", "config", "audio", "metric", "data", "run", "nn"},
    "enhance": {"core", "config", "audio", "run", "nn"},
    "deploy": {"core", "config", "audio", "metric", "data", "corpus", "run", "nn", "runtime"},
    "study": {
        "core", "config", "audio", "metric", "data", "corpus", "run", "nn", "objective", "train",
        "eval", "enhance", "deploy",
    },
    "runtime": set(),
}

LIBTORCH = ("ATen/", "torch/", "c10/")
WITHOUT_LIBTORCH = ("core", "config", "audio", "metric", "data", "corpus", "run", "runtime")

# With the compiler's own.
STANDARD = set(
    """
    algorithm any array atomic barrier bit bitset charconv chrono compare complex concepts
    condition_variable coroutine deque exception execution filesystem format forward_list fstream
    functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list
    locale map memory memory_resource mutex new numbers numeric optional ostream queue random ranges
    ratio regex scoped_allocator semaphore set shared_mutex source_location span sstream stack
    stdexcept stop_token streambuf string string_view strstream syncstream system_error thread tuple
    type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
    cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp csignal cstdarg cstddef
    cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype
    immintrin.h
    """.split()
)

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def layer_of_file(path):
    """'data' for include/limbeck/data/x.h and src/data/x.cpp, None for src/pch.h."""
    parts = path.split("/")
    if parts[0] == "tools":
        return None
    parts = parts[2:] if parts[0] == "include" else parts[1:]
    return parts[0] if len(parts) > 1 else None


def layer_of_include(path, name, quoted):
    """The layer that `name`, included in the file `path`, belongs to; None if it is not ours."""
    if quoted and name.startswith("."):
        parts = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)).split("/")
        name = "/".join(parts[2:] if parts[:2] == ["include", "limbeck"] else parts[1:])
    parts = name.split("/")
    if parts[0] == "limbeck" and len(parts) > 1:
        return parts[1]
    return parts[0] if len(parts) > 1 and parts[0] in LAYERS else None


def check_file(root, path):
    is_header = path.startswith("include/") and path.endswith(".h")
    layer = layer_of_file(path)
    text = (root / path).read_text(encoding="utf-8")
    if layer is not None and layer not in LAYERS:
        yield 1, f"'{layer}' is not a layer; known: {', '.join(LAYERS)}"
        return
    if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE):
        yield 1, "a header without #pragma once"
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, name = match[1] == '"', match[2]
        if path.startswith("tools/") and quoted and (root / "tools" / name).exists():
            continue  # a tool's own folder, which may bear the name of a layer
        target = layer_of_include(path, name, quoted)
        if target is not None:
            if target != layer and not name.startswith("limbeck/"):
                yield number, f"{name} is private to {target}"
            elif layer is not None and target != layer and target not in LAYERS[layer]:
                allowed = ", ".join(sorted(LAYERS[layer])) or "nothing of ours"
                yield number, f"{layer} may not include {name}; it may include {allowed}"
            continue
        if layer in WITHOUT_LIBTORCH and name.startswith(LIBTORCH):
            yield number, f"{layer} stands without LibTorch, but includes {name}"
        elif is_header and not (name in STANDARD or name.startswith(LIBTORCH)):
            yield number, f"a public header may not include {name}: neither LibTorch nor the standard library"


def types_of(text):
    """Line and full name of each struct and class that a header defines at the level of a namespace."""
    inside = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"(?:inline )?namespace\s*([\w:]*)\s*\{", line):
            inside.append(match[1])
        elif re.match(r"\}(?!;)", line) and "namespace" in line and inside:
            inside.pop()
        elif match := re.match(r"(?:struct|class)\s+(\w+)\b[^;]*\{", line):
            yield number, "::".join([*inside, match[1]])


def check_names(root, paths):
    first = {}
    for path in paths:
        if not path.endswith(".h") or path.startswith("tools/"):
            continue  # each tool is a program of its own
        for number, name in types_of((root / path).read_text(encoding="utf-8")):
            if first.setdefault(name, path) != path:
                yield f"{path}:{number}: {name} is defined in {first[name]}, too"


def check(root):
    root = pathlib.Path(root)
    found = []
    files = [p for top in ("include/limbeck", "src", "tools") for p in (root / top).rglob("*")]
    paths = sorted(p.relative_to(root).as_posix() for p in files if p.suffix in (".h", ".cpp", ".cu"))
    for path in paths:
        found += [f"{path}:{number}: {message}" for number, message in check_file(root, path)]
    return len(paths), found + list(check_names(root, paths))


def self_test():
    """Every rule must catch what breaks it, at its line, and leave sound files alone."""
    head = "#pragma once\n\n"
    sound = {
        "include/limbeck/core/error.h": head + "#include <string>\n",
        "include/limbeck/nn/model.h": head + "#include <string>\n#include <ATen/core/Tensor.h>\n",
        "include/limbeck/train/trainer.h": head + '#include "limbeck/metric/metric.h"\n',
        "src/core/log.cpp": '#include <spdlog/logger.h>\n#include <unistd.h>\n#include "private.h"\n',
        "src/data/scan.h": head + '#include "../data/private.h"\n',
        "src/study/study.cpp": '#include "limbeck/eval/job.h"\n#include "study/private.h"\n',
        "tools/limbeck-x.cpp": '#include "common.h"\n#include "x/command.h"\n#include "limbeck/nn/model.h"\n',
        "tools/limbeck-study.cpp": '#include "study/command.h"\n',
        "tools/study/command.h": head + "#include <string>\n",
        "src/eval/score.cpp": '#include "limbeck/metric/metric.h"\n',
        "src/pch.h": head + "#include <torch/torch.h>\n",
        "src/eval/pace.h": head + "namespace limbeck {\nclass Pace {\n};\n}  // namespace limbeck\n",
        "src/run/pace.h": head + "namespace limbeck {\nclass Pace;\nnamespace run {\nclass Pace {\n};\n}  // namespace run\n}  // namespace limbeck\n",
    }
    planted = [
        ("include/limbeck/core/a.h", head + '#include "limbeck/config/node.h"\n', 3, "core may not include"),
        ("src/config/a.cpp", '\n#include "audio/private.h"\n', 2, "audio/private.h is private to audio"),
        ("src/data/a.cpp", '#include "../audio/private.h"\n', 1, "audio/private.h is private to audio"),
        ("tools/limbeck-y.cpp", '#include "data/private.h"\n', 1, "data/private.h is private to data"),
        ("src/nn/b.cpp", '#include "limbeck/corpus/prepare.h"\n', 1, "nn may not include"),
        ("src/run/b.cpp", "#include <torch/types.h>\n", 1, "run stands without LibTorch"),
        ("src/nn/a.cpp", '#  include <limbeck/data/loader.h>\n', 1, "nn may not include"),
        ("src/audio/a.cpp", '#include "limbeck/data/scan.h"\n', 1, "audio may not include"),
        ("src/eval/a.cpp", '#include "limbeck/objective/loss.h"\n', 1, "eval may not include"),
        ("src/train/a.cpp", '#include "limbeck/eval/job.h"\n', 1, "train may not include"),
        ("src/study/a.cpp", '#include "limbeck/runtime/denoiser.h"\n', 1, "study may not include"),
        ("src/eval/b.cpp", '#include "limbeck/study/study.h"\n', 1, "eval may not include"),
        ("src/runtime/a.cpp", '#include "limbeck/core/error.h"\n', 1, "runtime may not include"),
        ("include/limbeck/runtime/a.h", head + "#include <torch/types.h>\n", 3, "without LibTorch"),
        ("src/data/b.cpp", "#include <ATen/core/Tensor.h>\n", 1, "data stands without LibTorch"),
        ("include/limbeck/core/b.h", head + "#include <yaml-cpp/yaml.h>\n", 3, "may not include yaml-cpp/yaml.h"),
        ("include/limbeck/core/c.h", head + "#include <unistd.h>\n", 3, "may not include unistd.h"),
        ("include/limbeck/core/d.h", head + '#include "error.h"\n', 3, "may not include error.h"),
        ("include/limbeck/core/e.h", "#include <string>\n", 1, "without #pragma once"),
        ("src/data/e.h", "// #pragma once\n", 1, "without #pragma once"),
        ("src/codec/a.cpp", "", 1, "'codec' is not a layer"),
        ("src/study/z.h", head + "namespace limbeck {\nclass Pace final {\n};\n}  // namespace limbeck\n", 4, "limbeck::Pace is defined in"),
    ]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)

        def put(path, text):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")

        for path, text in sound.items():
            put(path, text)
        count, found = check(root)
        if found or count != len(sound):
            failures += 1
            print(f"a sound tree of {len(sound)} files: {count} seen, reported {found}")
        for path, text, line, message in planted:
            put(path, text)
            _, found = check(root)
            (root / path).unlink()
            if len(found) != 1 or not found[0].startswith(f"{path}:{line}: ") or message not in found[0]:
                failures += 1
                print(f"{path}: expected line {line}: ...{message}..., reported {found}")
    print(f"self-test: {len(planted) + 1 - failures} of {len(planted) + 1} right")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true", help="check this program itself")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    count, found = check(arguments.root)
    if count == 0:
        print(f"{arguments.root}: no source files", file=sys.stderr)
        return 1
    for line in found:
        print(line)
    print(f"{count} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
