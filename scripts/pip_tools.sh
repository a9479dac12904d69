# Tools from PyPI, pinned, each in a folder of .deps; to be sourced from the project's folder.
clang_format_version=19.1.7
clang_tidy_version=22.1.8

# The wheel's launcher is a Python script that needs the wheel on its path; the program itself does not.
clang_format=.deps/clang-format-$clang_format_version/clang_format/data/bin/clang-format
clang_tidy=.deps/clang-tidy-$clang_tidy_version/clang_tidy/data/bin/clang-tidy

# pip_into DIR ARGUMENT...: whole or not at all, so that an interrupted install is simply made again.
pip_into() {
  local target=$1
  shift
  rm -rf "$target" "$target.part"
  # Older pips do not know the option --root-user-action, but none minds the variable.
  # shellcheck disable=SC2086
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check \
    ${LIMBECK_PIP_ARGS:-} --target "$target.part" "$@"
  mv "$target.part" "$target"
}

install_clang_format() {
  [ -x "$clang_format" ] && return
  echo "installing clang-format $clang_format_version"
  pip_into ".deps/clang-format-$clang_format_version" "clang-format==$clang_format_version"
}

install_clang_tidy() {
  [ -x "$clang_tidy" ] && return
  echo "installing clang-tidy $clang_tidy_version"
  pip_into ".deps/clang-tidy-$clang_tidy_version" "clang-tidy==$clang_tidy_version"
}
