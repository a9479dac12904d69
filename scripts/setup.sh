#!/usr/bin/env bash
# Installs what Limbeck needs on Debian or Ubuntu: distribution packages, and LibTorch if none is found. Run again, it
# does nothing. Everything that is not a distribution package goes to .deps/.
#
#   scripts/setup.sh             what building, running and testing needs
#   scripts/setup.sh --extras    and the tools that only CI or some checks need (clang-format, clang-tidy, sox)
#
# Environment: LIBTORCH_ROOT uses that LibTorch and installs none; LIMBECK_PIP_ARGS adds arguments to pip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/pip_tools.sh

extras=false
case "${1:-}" in
  "") ;;
  --extras) extras=true ;;
  *) echo "usage: scripts/setup.sh [--extras]" >&2; exit 2 ;;
esac

torch_version=2.15.0
cuda_stub_version=13.2.86 # two small libraries that the CUDA wheel's CPU part links to

packages=(
  ca-certificates curl git cmake ninja-build g++ python3 python3-pip
  libpng-dev libsndfile1-dev libsoxr-dev libzip-dev libyaml-cpp-dev libcli11-dev libspdlog-dev
  nlohmann-json3-dev libxxhash-dev libgtest-dev libgmock-dev libboost-math-dev
)
if $extras; then packages+=(sox); fi # tests try pipes with it where it is there

# Those of the named distribution packages that are neither installed nor replaced by a program from elsewhere.
missing_packages() {
  local installed package
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null || true)
  for package in "$@"; do
    grep -qx "$package installed" <<<"$installed" && continue
    case $package in
      cmake) command -v cmake >/dev/null ;;
      ninja-build) command -v ninja >/dev/null ;;
      g++) command -v g++ >/dev/null ;;
      git) command -v git >/dev/null ;;
      curl) command -v curl >/dev/null || command -v wget >/dev/null ;;
      python3) command -v python3 >/dev/null ;;
      python3-pip) python3 -m pip --version >/dev/null 2>&1 ;;
      *) false ;;
    esac || echo "$package"
  done
}

# install_packages NAME...: from the distribution, those that are missing.
install_packages() {
  local missing as_root=() install
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  install="apt-get install -y --no-install-recommends ${missing[*]}"
  if ((EUID != 0)); then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      as_root=(sudo)
    else
      echo "setup: missing packages: ${missing[*]}" >&2
      echo "setup: no root and no sudo here; ask an administrator to run:  $install" >&2
      return 2
    fi
  fi
  echo "setup: installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $install -qq >/dev/null
}

# The options with which pip takes a wheel of torch for this processor. LibTorch needs no Python when it runs, so a
# Python that torch has no wheel for takes another's; one that it has takes its own, and can import it from .deps.
wheel_options() {
  local minor platform
  minor=$(python3 -c 'import sys; print(sys.version_info[1])')
  ((minor >= 11 && minor <= 14)) || minor=12
  # Old pips hold torch's "requires Python 3.11" against the running Python, whatever --python-version says.
  echo --ignore-requires-python --only-binary=:all: --implementation cp --python-version "3.$minor"
  echo --abi "cp3$minor" --abi abi3 --abi none
  for platform in manylinux_2_{28..5} manylinux{2014,2010,1}; do
    echo --platform "${platform}_$(uname -m)"
  done
}

has_gpu() { [ -e /proc/driver/nvidia/version ] || command -v nvidia-smi >/dev/null; }

install_torch() {
  local torch=$1 library options
  mapfile -t options < <(wheel_options | tr ' ' '\n')
  if has_gpu; then
    echo "setup: installing LibTorch $torch_version with CUDA (about 5.7 GB)"
    pip_into "$torch" "${options[@]}" "torch==$torch_version"
  else
    echo "setup: installing LibTorch $torch_version for CPU (about 1.3 GB)"
    pip_into "$torch" "${options[@]}" --no-deps "torch==$torch_version" \
      "nvidia-cuda-cupti==$cuda_stub_version" "nvidia-cuda-runtime==$cuda_stub_version"
  fi
  for library in libtorch_cpu.so libc10.so; do
    [ -e "$torch/torch/lib/$library" ] || {
      echo "setup: the wheel brought no $library; see $torch" >&2
      return 1
    }
  done
}

install_packages "${packages[@]}"

torch=.deps/libtorch-$torch_version
# Prints the folder of the LibTorch that a build will take, if there is one.
find_torch() { cmake -P cmake/LibTorchProbe.cmake 2>/dev/null | cut -d ' ' -f 2-; }
if [ -n "${LIBTORCH_ROOT:-}" ]; then
  cmake -P cmake/LibTorchProbe.cmake >/dev/null || exit 2
fi
found=$(find_torch) || found=
if [ -z "$found" ]; then
  install_torch "$torch"
elif [[ -z ${LIBTORCH_ROOT:-} && $found == "$PWD"/.deps/libtorch-* && $found != "$PWD/$torch"/* ]]; then
  install_torch "$torch" # what is there came with an earlier version of this script
elif [ "$found" = /usr ]; then
  install_packages libopenblas0-pthread # without OpenBLAS it multiplies matrices 40 times slower
fi

if $extras; then
  install_clang_format
  install_clang_tidy
fi
echo "setup: ready"
