#!/usr/bin/env bash
# Installs everything, runs a program from there, and builds one of another project against the library.
# Usage: install.sh BUILD_DIR
set -euo pipefail
build=$1
. "$(dirname "$0")/expect.sh"
prefix=$work/prefix
expect 0 "" cmake --install "$build" --prefix "$prefix"

# Licences, and the configurations, which name each other by their own places.
for file in share/doc/Limbeck/LICENSE share/doc/Limbeck/pffft/LICENSE.txt share/limbeck/configs/study/demo.yaml \
  share/limbeck/models/student_25k/model.safetensors; do
  [ -s "$prefix/$file" ] || fail "$file is not installed"
done
mkdir "$work/elsewhere"
cd "$work/elsewhere"
for program in "$build"/bin/limbeck-*; do
  expect 0 "limbeck" "$prefix/bin/$(basename "$program")" --version
done
expect 0 "segment_seconds: 1" "$prefix/bin/limbeck-pretrain" "$prefix/share/limbeck/configs/pretrain/demo_teacher.yaml" --dump-config
expect 0 "parameters" "$prefix/bin/limbeck-bench" model "$prefix/share/limbeck/configs/model/student_10k.yaml"

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
expect 0 "" cmake -G Ninja -S "$work/user" -B "$work/user/build" -DCMAKE_PREFIX_PATH="$prefix"
expect 0 "" cmake --build "$work/user/build"
expect 0 denoising_autoencoder "$work/user/build/user"
