# Finds LibTorch 2.6 or newer and defines LibTorch::LibTorch.
#
# LibTorch's own TorchConfig.cmake is not used: with a CUDA wheel it demands a matching CUDA toolkit at configure
# time, even for a CPU build. Where is looked, and what is refused, is in LibTorchProbe.cmake.
#
# Sets LibTorch_FOUND, LibTorch_VERSION, LibTorch_ROOT_DIR, LibTorch_LIBRARY_DIR, LibTorch_HAS_CUDA.

include("${CMAKE_CURRENT_LIST_DIR}/LibTorchProbe.cmake")
libtorch_probe()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_ROOT_DIR VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "Run scripts/setup.sh, or give -DLIBTORCH_ROOT=<folder with include/ and lib/>. ${LibTorch_REFUSED}")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  set(_cpu "${LibTorch_LIBRARY_DIR}/libtorch_cpu.so")
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  set_property(TARGET LibTorch::LibTorch PROPERTY INTERFACE_INCLUDE_DIRECTORIES
    "${LibTorch_ROOT_DIR}/include;${LibTorch_ROOT_DIR}/include/torch/csrc/api/include")
  set(_links "${_cpu}" "${LibTorch_LIBRARY_DIR}/libc10.so")

  # The CUDA part registers its kernels when it is loaded, so the linker must keep it although no symbol is used;
  # a CPU-only install of a CUDA wheel has the file without the libraries that it needs.
  set(LibTorch_HAS_CUDA FALSE)
  if(EXISTS "${LibTorch_LIBRARY_DIR}/libtorch_cuda.so")
    execute_process(COMMAND ldd "${LibTorch_LIBRARY_DIR}/libtorch_cuda.so" OUTPUT_VARIABLE _needs ERROR_QUIET)
    if(_needs AND NOT _needs MATCHES "not found")
      set(LibTorch_HAS_CUDA TRUE)
      list(APPEND _links "-Wl,--no-as-needed,${LibTorch_LIBRARY_DIR}/libtorch_cuda.so,--as-needed"
        "${LibTorch_LIBRARY_DIR}/libc10_cuda.so")
    endif()
  endif()

  # Clang 18 began to name templates with constraints as the newest C++ ABI does; LibTorch's own are made by a compiler
  # that does not (at::TensorBase::const_data_ptr<float> would not be found).
  set(_flags)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 18)
    list(APPEND _flags "$<$<COMPILE_LANGUAGE:CXX>:-fclang-abi-compat=17>")
  endif()

  # at::parallel_for is a header template: without -fopenmp it runs serially in our files. We compile with it but
  # link the OpenMP runtime that LibTorch itself uses, so that the process has one. What Clang makes of OpenMP needs
  # LLVM's runtime (libiomp5 is one): beside libgomp, its at::parallel_for stays serial.
  execute_process(COMMAND ldd "${_cpu}" OUTPUT_VARIABLE _needs ERROR_QUIET)
  if(_needs MATCHES "(libgomp|libiomp5)[^ \n]* => ([^ \n]+)")
    set(LibTorch_OPENMP_LIBRARY "${CMAKE_MATCH_2}")
    if(CMAKE_MATCH_1 STREQUAL "libiomp5" OR NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      list(APPEND _flags "$<$<COMPILE_LANGUAGE:CXX>:-fopenmp>")
    else()
      message(STATUS "Clang beside libgomp: the project's own kernels use one thread")
    endif()
    list(APPEND _links "${LibTorch_OPENMP_LIBRARY}")
  endif()
  set_property(TARGET LibTorch::LibTorch PROPERTY INTERFACE_COMPILE_OPTIONS "${_flags}")
  set_property(TARGET LibTorch::LibTorch PROPERTY INTERFACE_LINK_LIBRARIES "${_links}")
endif()
