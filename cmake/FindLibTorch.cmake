# Finds LibTorch 2.6 or newer and defines LibTorch::LibTorch.
#
# LibTorch's own TorchConfig.cmake is not used: with a CUDA wheel it demands a matching CUDA toolkit at configure
# time, even for a CPU build. Searched in this order: LIBTORCH_ROOT (variable or environment), CMAKE_PREFIX_PATH,
# what scripts/setup.sh installed in .deps, the torch that python3 finds, the system.
#
# Sets LibTorch_FOUND, LibTorch_VERSION, LibTorch_ROOT_DIR, LibTorch_LIBRARY_DIR, LibTorch_HAS_CUDA.

set(LibTorch_MINIMUM 2.6)

set(_roots)
if(LIBTORCH_ROOT)
  list(APPEND _roots "${LIBTORCH_ROOT}")
elseif(DEFINED ENV{LIBTORCH_ROOT})
  list(APPEND _roots "$ENV{LIBTORCH_ROOT}")
else()
  foreach(_prefix IN LISTS CMAKE_PREFIX_PATH)
    list(APPEND _roots "${_prefix}" "${_prefix}/torch")
  endforeach()
  file(GLOB _installed "${CMAKE_CURRENT_LIST_DIR}/../.deps/libtorch-*/torch")
  list(SORT _installed COMPARE NATURAL ORDER DESCENDING)
  list(APPEND _roots ${_installed})
  execute_process(
    COMMAND python3 -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    OUTPUT_VARIABLE _python_torch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  list(APPEND _roots ${_python_torch} /usr /usr/local)
endif()

function(_libtorch_version root result)
  set(${result} "" PARENT_SCOPE)
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

set(_seen)
foreach(_root IN LISTS _roots)
  _libtorch_version("${_root}" _version)
  if(_version STREQUAL "")
    list(APPEND _seen "${_root}: no LibTorch")
    continue()
  endif()
  unset(_cpu CACHE)
  unset(_c10 CACHE)
  find_library(_cpu torch_cpu PATHS "${_root}/lib" "${_root}/lib/${CMAKE_LIBRARY_ARCHITECTURE}" NO_DEFAULT_PATH)
  find_library(_c10 c10 PATHS "${_root}/lib" "${_root}/lib/${CMAKE_LIBRARY_ARCHITECTURE}" NO_DEFAULT_PATH)
  if(NOT _cpu OR NOT _c10)
    list(APPEND _seen "${_root}: headers of LibTorch ${_version}, but no libtorch_cpu or libc10")
    continue()
  endif()
  if(_version VERSION_LESS LibTorch_MINIMUM)
    list(APPEND _seen "${_root}: LibTorch ${_version}, too old (${LibTorch_MINIMUM} is needed)")
    continue()
  endif()
  file(STRINGS "${_c10}" _new_abi REGEX "__cxx11" LIMIT_COUNT 1)
  if(_new_abi STREQUAL "")
    list(APPEND _seen "${_root}: LibTorch ${_version} built with the old C++ ABI (take a cxx11-abi build)")
    continue()
  endif()
  set(LibTorch_ROOT_DIR "${_root}")
  set(LibTorch_VERSION "${_version}")
  break()
endforeach()

include(FindPackageHandleStandardArgs)
list(JOIN _seen "\n  " _seen_text)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_ROOT_DIR VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "Run scripts/setup.sh, or give -DLIBTORCH_ROOT=<folder with include/ and lib/>. Looked at:\n  ${_seen_text}")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  get_filename_component(_lib_dir "${_cpu}" DIRECTORY)
  set(LibTorch_LIBRARY_DIR "${_lib_dir}")
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  set_property(TARGET LibTorch::LibTorch PROPERTY INTERFACE_INCLUDE_DIRECTORIES
    "${LibTorch_ROOT_DIR}/include;${LibTorch_ROOT_DIR}/include/torch/csrc/api/include")
  set(_links "${_cpu}" "${_c10}")

  # The CUDA part registers its kernels when it is loaded, so the linker must keep it although no symbol is used;
  # a CPU-only install of a CUDA wheel has the file without the libraries that it needs.
  set(LibTorch_HAS_CUDA FALSE)
  if(EXISTS "${_lib_dir}/libtorch_cuda.so")
    execute_process(COMMAND ldd "${_lib_dir}/libtorch_cuda.so" OUTPUT_VARIABLE _needs ERROR_QUIET)
    if(_needs AND NOT _needs MATCHES "not found")
      set(LibTorch_HAS_CUDA TRUE)
      list(APPEND _links "-Wl,--no-as-needed,${_lib_dir}/libtorch_cuda.so,--as-needed"
        "${_lib_dir}/libc10_cuda.so")
    endif()
  endif()

  # at::parallel_for is a header template: without -fopenmp it runs serially in our files. We compile with it but
  # link the OpenMP runtime that LibTorch itself uses, so that the process has one.
  execute_process(COMMAND ldd "${_cpu}" OUTPUT_VARIABLE _needs ERROR_QUIET)
  if(_needs MATCHES "(libgomp[^ \n]*|libiomp5[^ \n]*) => ([^ \n]+)")
    set(LibTorch_OPENMP_LIBRARY "${CMAKE_MATCH_2}")
    set_property(TARGET LibTorch::LibTorch PROPERTY INTERFACE_COMPILE_OPTIONS "$<$<COMPILE_LANGUAGE:CXX>:-fopenmp>")
    list(APPEND _links "${LibTorch_OPENMP_LIBRARY}")
  endif()
  set_property(TARGET LibTorch::LibTorch PROPERTY INTERFACE_LINK_LIBRARIES "${_links}")
endif()
mark_as_advanced(_cpu _c10)
