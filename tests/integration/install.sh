#!/usr/bin/env bash
# Installs the library and builds a program of another project against it. Usage: install.sh BUILD_DIR
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >"$work/log" || { cat "$work/log" >&2; exit 1; }
"$work/prefix/bin/limbeck-pretrain" --version
mkdir "$work/user"
cat >"$work/user/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.22)
project(User CXX)
find_package(Limbeck REQUIRED)
add_executable(user user.cpp)
target_link_libraries(user limbeck::limbeck)
CMAKE
cat >"$work/user/user.cpp" <<'CPP'
#include <cstdio>

#include "limbeck/core/version.h"
#include "limbeck/train/config.h"

int main() {
  const limbeck::TrainingConfig config;
  std::printf("%s, %s\n", limbeck::version_text().c_str(), config.model.chosen.name().c_str());
}
CPP
cmake -S "$work/user" -B "$work/user/build" -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/log" || { cat "$work/log" >&2; exit 1; }
cmake --build "$work/user/build" >"$work/log" || { cat "$work/log" >&2; exit 1; }
"$work/user/build/user" | grep denoising_autoencoder
