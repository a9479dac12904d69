#!/usr/bin/env bash
# Formats all tracked C++ files with the pinned clang-format, which it installs if need be; --check only looks, and
# fails on a difference.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/pip_tools.sh

check=
case "${1:-}" in
  "") ;;
  --check) check=1 ;;
  *)
    echo "usage: scripts/format.sh [--check]" >&2
    exit 2
    ;;
esac
install_clang_format

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
  "$clang_format" --style=file --dry-run -Werror "${files[@]}"
  echo "${#files[@]} files are formatted"
else
  "$clang_format" --style=file -i "${files[@]}"
fi
