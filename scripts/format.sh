#!/usr/bin/env bash
# Formats all tracked C++ files with the pinned clang-format; --check only looks, and fails on a difference.
set -euo pipefail
cd "$(dirname "$0")/.."

check=
case "${1:-}" in
  "") ;;
  --check) check=1 ;;
  *)
    echo "usage: scripts/format.sh [--check]" >&2
    exit 2
    ;;
esac

# The wheel's launcher is a Python script that needs the wheel on its path; the program itself does not.
programs=(.deps/clang-format-*/clang_format/data/bin/clang-format)
program=${programs[0]}
if [ ! -x "$program" ]; then
  echo "scripts/format.sh: no clang-format in .deps; run scripts/setup.sh" >&2
  exit 2
fi

mapfile -d '' -t tracked < <(git ls-files -z -- '*.h' '*.cpp')
files=()
for file in "${tracked[@]}"; do
  if [ -f "$file" ]; then files+=("$file"); fi # a file that was deleted but not yet committed is still listed
done
if [ "${#files[@]}" -eq 0 ]; then
  echo "scripts/format.sh: no tracked C++ files" >&2
  exit 2
fi

if [ -n "$check" ]; then
  "$program" --style=file --dry-run -Werror "${files[@]}"
  echo "${#files[@]} files are formatted"
else
  "$program" --style=file -i "${files[@]}"
fi
