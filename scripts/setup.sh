#!/usr/bin/env bash
# Installs what Limbeck needs on Debian or Ubuntu: distribution packages, LibTorch (if none is found) and the pinned
# clang-format. Run again, it does nothing. Everything that is not a distribution package goes to .deps/.
#
# Environment: LIBTORCH_ROOT uses that LibTorch and installs none; LIMBECK_PIP_ARGS adds arguments to pip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

torch_version=2.15.0
cuda_stub_version=13.2.86 # two small libraries that the CUDA wheel's CPU part links to
clang_format_version=19.1.7

packages=(
  ca-certificates curl git cmake ninja-build g++ python3 python3-pip
  libpng-dev libsndfile1-dev libsoxr-dev libzip-dev libkissfft-dev libyaml-cpp-dev libcli11-dev libspdlog-dev
  nlohmann-json3-dev libxxhash-dev libgtest-dev libgmock-dev libbenchmark-dev libboost-math-dev
  gnuplot-nox
)

missing=()
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null || true)
for package in "${packages[@]}"; do
  grep -qx "$package installed" <<<"$installed" || missing+=("$package")
done
# A compiler, CMake, Ninja, git, curl (or wget) or pip from elsewhere is as good as the distribution's.
keep=()
for package in "${missing[@]}"; do
  case $package in
    cmake) command -v cmake >/dev/null ;;
    ninja-build) command -v ninja >/dev/null ;;
    g++) command -v g++ >/dev/null ;;
    git) command -v git >/dev/null ;;
    curl) command -v curl >/dev/null || command -v wget >/dev/null ;;
    python3) command -v python3 >/dev/null ;;
    python3-pip) python3 -m pip --version >/dev/null 2>&1 ;;
    *) false ;;
  esac || keep+=("$package")
done

if ((${#keep[@]})); then
  install="apt-get install -y --no-install-recommends ${keep[*]}"
  if ((EUID == 0)); then
    as_root=()
  elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=(sudo)
  else
    echo "setup: missing packages: ${keep[*]}" >&2
    echo "setup: no root and no sudo here; ask an administrator to run:  $install" >&2
    exit 2
  fi
  echo "setup: installing ${keep[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $install -qq >/dev/null
fi

# pip_into DIR REQUIREMENT...: whole or not at all, so that an interrupted install is simply made again.
pip_into() {
  local target=$1
  shift
  rm -rf "$target" "$target.part"
  # shellcheck disable=SC2086
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    ${LIMBECK_PIP_ARGS:-} --target "$target.part" "$@"
  mv "$target.part" "$target"
}

clang_format=.deps/clang-format-$clang_format_version
if [ ! -x "$clang_format/bin/clang-format" ]; then
  echo "setup: installing clang-format $clang_format_version"
  pip_into "$clang_format" "clang-format==$clang_format_version"
fi

torch=.deps/libtorch-$torch_version
has_gpu() { [ -e /proc/driver/nvidia/version ] || command -v nvidia-smi >/dev/null; }

# Prints where a usable LibTorch (2.6 or newer) already lies, if anywhere.
find_torch() {
  if [ -n "${LIBTORCH_ROOT:-}" ]; then
    echo "$LIBTORCH_ROOT"
  elif [ -e "$torch/torch/lib/libtorch_cpu.so" ]; then
    echo "$torch"
  else
    python3 - <<'PY' 2>/dev/null || true
import importlib.metadata, importlib.util, os
spec = importlib.util.find_spec("torch")
version = tuple(int(x) for x in importlib.metadata.version("torch").split("+")[0].split(".")[:2])
if version >= (2, 6) and os.path.exists(os.path.join(spec.submodule_search_locations[0], "include/torch/version.h")):
    print(spec.submodule_search_locations[0])
PY
    for include in /usr/include /usr/local/include; do
      header=$include/torch/version.h
      [ -e "$header" ] || header=$include/torch/csrc/api/include/torch/version.h
      [ -e "$header" ] || continue
      awk '/define TORCH_VERSION_MAJOR/ {a = $3} /define TORCH_VERSION_MINOR/ {b = $3}
           END {exit !(a > 2 || (a == 2 && b >= 6))}' "$header" && echo "$include"
    done
  fi
}

if [ -z "$(find_torch)" ]; then
  if has_gpu; then
    echo "setup: installing LibTorch $torch_version with CUDA (about 5.7 GB)"
    pip_into "$torch" "torch==$torch_version"
  else
    echo "setup: installing LibTorch $torch_version for CPU (about 1.3 GB)"
    pip_into "$torch" --no-deps "torch==$torch_version" \
      "nvidia-cuda-cupti==$cuda_stub_version" "nvidia-cuda-runtime==$cuda_stub_version"
  fi
  for library in libtorch_cpu.so libc10.so; do
    [ -e "$torch/torch/lib/$library" ] || {
      echo "setup: the wheel brought no $library; see $torch" >&2
      exit 1
    }
  done
fi
# A distribution's LibTorch multiplies matrices 40 times slower without OpenBLAS.
if [[ "$(find_torch | head -n 1)" == /usr/include ]] && ! grep -q '^libopenblas0-pthread installed' <<<"$installed"; then
  if ((EUID == 0)); then
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libopenblas0-pthread >/dev/null
  else
    echo "setup: for speed, install libopenblas0-pthread"
  fi
fi
echo "setup: ready"
