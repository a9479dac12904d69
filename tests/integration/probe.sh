#!/usr/bin/env bash
# Where cmake/LibTorchProbe.cmake finds LibTorch and what it refuses, with made folders. Usage: probe.sh SOURCE_DIR
set -euo pipefail
source=$1
. "$(dirname "$0")/expect.sh"
unset LIBTORCH_ROOT CMAKE_PREFIX_PATH

# make_root DIR VERSION ABI [LIBRARY_FOLDER]: headers, and libraries of the new or old ABI or none. The newest
# LibTorch states its version in another header than those before it.
make_root() {
  local root=$1 header=include/torch/csrc/api/include/torch/version.h major minor patch lib=$1/${4:-lib}
  IFS=. read -r major minor patch <<<"$2"
  ((minor < 10)) || header=include/torch/headeronly/version.h
  mkdir -p "$root/$(dirname "$header")"
  printf '#define TORCH_VERSION_%s\n' "MAJOR $major" "MINOR $minor" "PATCH $patch" >"$root/$header"
  [ "$3" != none ] || return 0
  mkdir -p "$lib"
  touch "$lib/libtorch_cpu.so"
  # As in real ones; the C++ library that is linked in brings a name of the new ABI to both.
  local string=Ss
  [ "$3" != new ] || string=NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE
  printf 'x\0_ZN3c105ErrorC1ENS_14SourceLocationE%s\0_ZNSt11logic_errorC1ERKNSt7__cxx1112basic_string\0' "$string" \
    >"$lib/libc10.so"
}

# A project's folder of its own, so that the .deps of this one is not found, and a python3 that has no torch.
project=$work/project
mkdir -p "$project/cmake" "$project/.deps" "$work/bin"
cp "$source/cmake/LibTorchProbe.cmake" "$project/cmake"
python_with() {
  printf '#!/bin/sh\n%s\n' "$1" >"$work/bin/python3"
  chmod +x "$work/bin/python3"
}
python_with 'echo "no module named torch" >&2; exit 1'
PATH=$work/bin:$PATH
probe() { cmake "$@" -P "$project/cmake/LibTorchProbe.cmake"; }

make_root "$work/good" 2.9.1 new
make_root "$work/newest" 2.15.0 new
make_root "$work/old" 2.5.1 new
make_root "$work/old_abi" 2.6.0 old
make_root "$work/no_libraries" 2.8.0 none
make_root "$work/multiarch" 2.6.0 new "lib/$(uname -m)-linux-gnu"
mkdir "$work/empty"

expect 0 "2.9.1 $work/good" probe -DLIBTORCH_ROOT="$work/good"
expect 0 "2.15.0 $work/newest" probe -DLIBTORCH_ROOT="$work/newest"
expect 0 "2.6.0 $work/multiarch" probe -DLIBTORCH_ROOT="$work/multiarch"
expect 0 "2.9.1 $work/good" env LIBTORCH_ROOT="$work/good" cmake -P "$project/cmake/LibTorchProbe.cmake"
# The variable wins over the environment.
expect 0 "$work/newest" env LIBTORCH_ROOT="$work/good" cmake -DLIBTORCH_ROOT="$work/newest" -P "$project/cmake/LibTorchProbe.cmake"

expect 1 "$work/old: LibTorch 2.5.1, too old (2.6 is needed)" probe -DLIBTORCH_ROOT="$work/old"
expect 1 "$work/old_abi: LibTorch 2.6.0 built with the old C++ ABI" probe -DLIBTORCH_ROOT="$work/old_abi"
expect 1 "$work/no_libraries: headers of LibTorch 2.8.0, but no libtorch_cpu.so" probe -DLIBTORCH_ROOT="$work/no_libraries"
expect 1 "$work/empty: no LibTorch" probe -DLIBTORCH_ROOT="$work/empty"
expect 1 "LIBTORCH_ROOT is given but cannot be used" probe -DLIBTORCH_ROOT="$work/empty"
# One that is given is not replaced by another.
expect 1 "LIBTORCH_ROOT is given but cannot be used" probe -DLIBTORCH_ROOT="$work/old" -DCMAKE_PREFIX_PATH="$work/good"

# Best first; what cannot be used is passed over. Only the last place, the system, may hold one on this machine too.
python_with "echo '$work/good'"
expect 0 "2.9.1 $work/good" probe
expect 0 "2.9.1 $work/good" probe -DCMAKE_PREFIX_PATH="$work/old_abi;$work/no_libraries"
make_root "$project/.deps/libtorch-2.9.0/torch" 2.9.0 new
make_root "$project/.deps/libtorch-2.14.0/torch" 2.14.0 new
expect 0 "2.14.0 $project/.deps/libtorch-2.14.0/torch" probe
make_root "$work/site-packages/torch" 2.7.0 new
expect 0 "2.7.0 $work/site-packages/torch" probe -DCMAKE_PREFIX_PATH="$work/old;$work/site-packages"
expect 0 "2.7.0 $work/site-packages/torch" env CMAKE_PREFIX_PATH="$work/old:$work/site-packages" cmake -P "$project/cmake/LibTorchProbe.cmake"

# A torch of a virtual environment, asked for as a user's python3 would be: by the package's own import.
rm -r "$project/.deps" "$work/bin"
hash -r
python3 -m venv --without-pip --system-site-packages "$work/venv" 2>/dev/null || { echo "no venv here; that part is skipped"; exit 0; }
packages=$("$work/venv/bin/python3" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
make_root "$packages/torch" 2.9.1 new
touch "$packages/torch/__init__.py"
mkdir -p "$work/elsewhere/torch"
cd "$work/elsewhere"
PATH=$work/venv/bin:$PATH expect 0 "2.9.1 $packages/torch" probe
