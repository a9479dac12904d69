#!/usr/bin/env python3
"""Looks into the objects of src/*/levels for symbols that the linker may take for those of another
object, such as inline functions of the standard library: they hold instructions of their level, and
would bring them to processors that lack these.

Usage: check_levels.py [--nm NM] FILE | --self-test

FILE has a line "LEVEL OBJECT" for each object. Prints OBJECT: SYMBOL for each global or weak symbol
outside of level_LEVEL, and exits with 1 if there is any.
"""

import argparse
import pathlib
import re
import subprocess
import sys


def strays(level, listing):
    """Symbols of `nm`'s listing that are neither the object's own nor in its level's namespace."""
    own = re.compile(rf"^_ZNK?7limbeck.*?\d+level_{level}")
    for line in listing.splitlines():
        kind, name = line.split()[-2:]
        # Small letters are local or undefined, but for that of unique symbols.
        if (kind.isupper() or kind == "u") and kind != "U" and not own.match(name):
            yield name


def check(nm, lines):
    found = []
    for line in lines:
        level, path = line.split(" ", 1)
        listing = subprocess.run([nm, path], check=True, capture_output=True, text=True).stdout
        found += [f"{path}: {name}" for name in strays(level, listing)]
    return found


def self_test():
    """Of each listing exactly those symbols are found that it is given with."""
    own = "_ZN7limbeck2nn10level_avx24normE"
    cases = [
        (f"0000 D {own}\n0000 t _ZN7limbeck2nn10level_avx212_GLOBAL__N_17forwardEv\n     U memcpy", []),
        (f"0000 R {own}\n     w __gmon_start__\n0000 r .LC0", []),
        ("0000 W _ZSt3maxIfERKT_S2_S2_", ["_ZSt3maxIfERKT_S2_S2_"]),
        ("0000 T _ZN7limbeck2nn6helperEv", ["_ZN7limbeck2nn6helperEv"]),
        ("0000 V _ZTIN7limbeck5ErrorE\n0000 u _ZZN1a1bEvE1c", ["_ZTIN7limbeck5ErrorE", "_ZZN1a1bEvE1c"]),
        ("0000 D _ZN7limbeck2nn14level_baseline4normE", ["_ZN7limbeck2nn14level_baseline4normE"]),
        ("0000 B table", ["table"]),
    ]
    failures = 0
    for listing, expected in cases:
        if list(strays("avx2", listing)) != expected:
            failures += 1
            print(f"{listing!r}: expected {expected}, found {list(strays('avx2', listing))}")
    print(f"self-test: {len(cases) - failures} of {len(cases)} right")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("objects", nargs="?", type=pathlib.Path)
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--self-test", action="store_true", help="check this program itself")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    if arguments.objects is None:
        parser.error("which objects?")
    lines = arguments.objects.read_text(encoding="utf-8").splitlines()
    if not lines:
        print(f"{arguments.objects}: no objects", file=sys.stderr)
        return 1
    found = check(arguments.nm, lines)
    for line in found:
        print(line)
    print(f"{len(lines)} objects, {len(found)} stray symbols")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
