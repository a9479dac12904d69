# Looks for a usable LibTorch, without targets or a compiler: for FindLibTorch.cmake, and for scripts/setup.sh by
#
#   cmake [-DLIBTORCH_ROOT=DIR] [-DCMAKE_PREFIX_PATH=DIRS] -P cmake/LibTorchProbe.cmake
#
# which prints "VERSION ROOT" on its standard output, or why each place was refused on its standard error (exit code 1).
# Searched in this order: LIBTORCH_ROOT (variable, then environment; nothing else if it is given), CMAKE_PREFIX_PATH
# (variable, then environment), what scripts/setup.sh installed in .deps, the torch that python3 finds, the system.

set(LibTorch_MINIMUM 2.6)

# The version that the headers of `root` state; empty if it has none.
function(_libtorch_version root result)
  set(${result} "" PARENT_SCOPE)
  # The newest LibTorch states it in the first of these and includes that from the second.
  foreach(header include/torch/headeronly/version.h
                 include/torch/csrc/api/include/torch/version.h include/torch/version.h)
    if(EXISTS "${root}/${header}")
      file(STRINGS "${root}/${header}" lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
      string(REGEX MATCHALL "(MAJOR|MINOR|PATCH) [0-9]+" parts "${lines}")
      if(parts)
        list(TRANSFORM parts REPLACE "[A-Z]+ " "")
        list(JOIN parts "." version)
        set(${result} "${version}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
endfunction()

# Sets version, library_dir and refusal (empty if usable) in the caller's scope.
function(_libtorch_examine root)
  set(library_dir "" PARENT_SCOPE)
  _libtorch_version("${root}" version)
  set(version "${version}" PARENT_SCOPE)
  if(version STREQUAL "")
    set(refusal "no LibTorch" PARENT_SCOPE)
    return()
  endif()
  if(version VERSION_LESS LibTorch_MINIMUM)
    set(refusal "LibTorch ${version}, too old (${LibTorch_MINIMUM} is needed)" PARENT_SCOPE)
    return()
  endif()
  cmake_host_system_information(RESULT processor QUERY OS_PLATFORM)
  foreach(folder lib lib64 "lib/${processor}-linux-gnu")
    if(EXISTS "${root}/${folder}/libtorch_cpu.so" AND EXISTS "${root}/${folder}/libc10.so")
      # PyPI's wheels up to 2.6 have the old ABI: c10::Error is made from its std::string ("Ss"). Names of the new
      # one are in their libraries too, from the C++ library that is linked in.
      file(STRINGS "${root}/${folder}/libc10.so" old_abi REGEX "ErrorC[12]ENS_14SourceLocationESs" LIMIT_COUNT 1)
      if(old_abi)
        set(refusal "LibTorch ${version} built with the old C++ ABI (take a cxx11-abi build)" PARENT_SCOPE)
      else()
        set(library_dir "${root}/${folder}" PARENT_SCOPE)
        set(refusal "" PARENT_SCOPE)
      endif()
      return()
    endif()
  endforeach()
  set(refusal "headers of LibTorch ${version}, but no libtorch_cpu.so and libc10.so" PARENT_SCOPE)
endfunction()

# Where to look, best first.
function(_libtorch_candidates result)
  set(roots)
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
    list(APPEND roots "${prefix}" "${prefix}/torch")
  endforeach()
  string(REPLACE ":" ";" prefixes "$ENV{CMAKE_PREFIX_PATH}")
  foreach(prefix IN LISTS prefixes)
    list(APPEND roots "${prefix}" "${prefix}/torch")
  endforeach()
  get_filename_component(deps "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../.deps" ABSOLUTE)
  file(GLOB installed "${deps}/libtorch-*/torch")
  list(SORT installed COMPARE NATURAL ORDER DESCENDING)
  # Asked from elsewhere, since a folder "torch" where one happens to be is not the package.
  execute_process(
    COMMAND python3 -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    WORKING_DIRECTORY / OUTPUT_VARIABLE python_torch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  list(APPEND roots ${installed} ${python_torch} /usr/local /usr)
  list(REMOVE_DUPLICATES roots)
  set(${result} "${roots}" PARENT_SCOPE)
endfunction()

# Sets LibTorch_ROOT_DIR, LibTorch_VERSION and LibTorch_LIBRARY_DIR, or LibTorch_REFUSED: a text of several lines.
function(libtorch_probe)
  set(given)
  if(LIBTORCH_ROOT)
    set(given "${LIBTORCH_ROOT}")
  elseif(NOT "$ENV{LIBTORCH_ROOT}" STREQUAL "")
    set(given "$ENV{LIBTORCH_ROOT}")
  endif()
  if(given)
    set(roots "${given}")
    set(refused "LIBTORCH_ROOT is given but cannot be used:")
  else()
    _libtorch_candidates(roots)
    set(refused "Looked at:")
  endif()
  foreach(root IN LISTS roots)
    _libtorch_examine("${root}")
    if(refusal STREQUAL "")
      set(LibTorch_ROOT_DIR "${root}" PARENT_SCOPE)
      set(LibTorch_VERSION "${version}" PARENT_SCOPE)
      set(LibTorch_LIBRARY_DIR "${library_dir}" PARENT_SCOPE)
      return()
    endif()
    string(APPEND refused "\n  ${root}: ${refusal}")
  endforeach()
  set(LibTorch_REFUSED "${refused}" PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  libtorch_probe()
  if(LibTorch_REFUSED)
    message(FATAL_ERROR "${LibTorch_REFUSED}")
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${LibTorch_VERSION} ${LibTorch_ROOT_DIR}")
endif()
