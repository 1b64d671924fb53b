# The core once more, so that it tells how much it works (src/sim/work.h): each stretch of code without
# a jump calls a function that counts. Its objects stand before the libraries of a program that links
# them, so the members of the same name are left in their archives. Left out is what is not called for
# a packet, or costs the same for each byte by its nature: an application's calls, checksums, and the
# keyed hash, which the simulator itself uses more than all others.
set(stepped_sources "")
foreach(layer base wire packet access internet transport)
	file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${layer}/*.c")
	list(APPEND stepped_sources ${sources})
endforeach()
list(FILTER stepped_sources EXCLUDE REGEX "/base/(hash|checksum[a-z0-9_]*)\\.c$|/tcp/user\\.c$")

add_library(strata_stepped OBJECT EXCLUDE_FROM_ALL ${stepped_sources})
target_include_directories(strata_stepped PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include")
target_compile_options(strata_stepped PRIVATE -O2 -fsanitize-coverage=trace-pc)
if(STRATA_LTO)
	target_compile_options(strata_stepped PRIVATE -fno-lto)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Fuzz")
	target_compile_definitions(strata_sim PRIVATE STRATA_STEP=__wrap___sanitizer_cov_trace_pc)
	target_link_options(strata_stepped INTERFACE "LINKER:--wrap=__sanitizer_cov_trace_pc")
endif()

# A test or fuzz target that asks whether steps are counted has a core that counts them.
function(strata_count_steps program source)
	file(STRINGS "${source}" asks REGEX "work_steps|work_was_counted")
	if(asks)
		target_link_libraries(${program} PRIVATE strata_stepped)
	endif()
endfunction()
