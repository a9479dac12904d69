#!/usr/bin/env bash
# Runs the pinned clang-tidy, which it installs if need be, over sources that a build of the preset has configured.
#
#   scripts/tidy.sh FILE...          these files
#   scripts/tidy.sh --changed [N]    of the sources changed since a revision, the N (20) that changed most
#
# Environment: TIDY_SINCE, the revision (where origin/main branched off, or else the parent of HEAD); PRESET (release);
# JOBS (all cores).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/pip_tools.sh
build=build/${PRESET:-release}
jobs=${JOBS:-$(nproc)}

# Prints the revision that changes are counted from, if there is one.
base_revision() {
  local head base
  head=$(git rev-parse HEAD)
  for base in ${TIDY_SINCE:-origin/main "$head~1"}; do
    base=$(git merge-base "$base" "$head" 2>/dev/null) || continue
    [ "$base" = "$head" ] || { echo "$base"; return; }
  done
}

case "${1:-}" in
  --changed)
    most=${2:-20}
    base=$(base_revision)
    if [ -z "$base" ]; then
      echo "tidy: no earlier revision to compare with; nothing checked"
      exit 0
    fi
    mapfile -t changed < <(git diff --numstat --no-renames --diff-filter=d "$base" -- 'src/*.cpp' 'tools/*.cpp' |
      sort -rn | cut -f 3)
    files=("${changed[@]:0:most}")
    echo "tidy: ${#files[@]} of ${#changed[@]} sources changed since ${base:0:10}"
    ;;
  "" | -*) echo "usage: scripts/tidy.sh FILE... | --changed [N]" >&2; exit 2 ;;
  *) files=("$@") ;;
esac
((${#files[@]})) || exit 0
install_clang_tidy
[ -e "$build/CMakeCache.txt" ] || { echo "tidy: configure first: cmake --preset ${PRESET:-release}" >&2; exit 2; }

# Where several sources are compiled at a time, the build's own list does not name them.
database=$(mktemp -d)
trap 'rm -rf "$database"' EXIT
cmake --preset "${PRESET:-release}" -B "$database/build" -DLIMBECK_UNITY=OFF >/dev/null
# Clang cannot read GCC's precompiled header, and sources include what they need without it; it need not have an omp.h.
# Warnings of the compiler's own are the build's business.
sed -E 's#'"$database"'/build/#'"$PWD/$build"'/#g; s# -include [^ ]*/cmake_pch\.hxx##g; s# -(Winvalid-pch|Werror|fopenmp)\b##g' "$database/build/compile_commands.json" >"$database/compile_commands.json"
printf '%s\n' "${files[@]}"
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$jobs" "$clang_tidy" -p "$database" --quiet
echo "tidy: ${#files[@]} files are clean"
