#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests. Arguments go to ctest (e.g. -R loader, -L golden).
# Environment: PRESET (release), JOBS (all cores), LIMBECK_WERROR (ON makes our warnings errors).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${PRESET:-release}
jobs=${JOBS:-$(nproc)}
scripts/setup.sh
# The demo leaves the tests out of the same build.
cmake --preset "$preset" -DLIMBECK_TESTS=ON ${LIMBECK_WERROR:+"-DLIMBECK_WERROR=$LIMBECK_WERROR"} >/dev/null
cmake --build --preset "$preset" -j "$jobs"
ctest --preset "$preset" -j "$jobs" "$@"
