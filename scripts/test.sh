#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests. Arguments go to ctest (e.g. -R loader, -L golden).
# Environment: PRESET (release), JOBS (all cores).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${PRESET:-release}
jobs=${JOBS:-$(nproc)}
scripts/setup.sh
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" -j "$jobs"
ctest --preset "$preset" -j "$jobs" "$@"
