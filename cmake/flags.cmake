# Compiler flags, one set for each build type. Asserts stay on everywhere: NDEBUG is never defined.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
string(JOIN " " sanitizers ${sanitizers})

# Layers are libraries of their own, and a segment crosses all of them: link-time optimisation lets
# short functions melt into their callers. Fat objects hold machine code as well: the tests link that,
# which takes a fraction of the time, and the checks read it.
# A segment's way is a dozen functions that each have one caller of weight: gcc may join more of them
# than it does by itself.
set(inlining "--param max-inline-insns-auto=800 --param max-inline-insns-single=800")
string(APPEND inlining " --param large-function-growth=500 --param inline-unit-growth=300")
string(APPEND inlining " --param inline-min-speedup=5")
# Deep in such a function a block seems rare to it, and would be made small instead of fast.
string(APPEND inlining " --param hot-bb-frequency-fraction=1000000")
# String instructions are slow to start: what is small is cleared in vectors, what is large by libc.
string(APPEND inlining " -mmemset-strategy=vector_loop:256:noalign,libcall:-1:noalign")
set(CMAKE_C_FLAGS_RELEASE "-O3 -g")
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release")
	set(STRATA_LTO ON)
	string(APPEND CMAKE_C_FLAGS_RELEASE " -flto=auto -ffat-lto-objects ${inlining}")
endif()
set(CMAKE_C_FLAGS_DEBUG "-Og -g3")
set(CMAKE_C_FLAGS_ASAN "-O1 -g ${sanitizers}")
set(CMAKE_C_FLAGS_FUZZ "-O2 -g ${sanitizers} -fsanitize=fuzzer-no-link")
set(CMAKE_C_FLAGS_COVERAGE "-O0 -g --coverage -fprofile-update=atomic")

# An assertion names its file from the root of the project, wherever that stands.
add_compile_options(-Wall -Wextra -Wconversion -Werror "-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=")

# The core has no C library beneath it: a loop must not become a call of strlen.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	add_compile_options(-fno-tree-loop-distribute-patterns)
endif()

if(CMAKE_BUILD_TYPE MATCHES "^(Asan|Fuzz)$")
	set(STRATA_SANITIZED ON)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Fuzz" AND NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
	message(FATAL_ERROR "libFuzzer comes with clang: configure with the preset 'fuzz'")
endif()

# The build is for any x86-64; a file whose name ends in an instruction set is compiled for that set
# and reached only through an ops table chosen at run time.
function(strata_simd_flags)
	foreach(file IN LISTS ARGN)
		if(file MATCHES "_sse41\\.c$")
			set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "-msse4.1")
		elseif(file MATCHES "_avx2\\.c$")
			set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "-mavx2")
		elseif(file MATCHES "_avx512\\.c$")
			set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS
				"-mavx512f;-mavx512bw;-mavx512vl")
		endif()
	endforeach()
endfunction()
