# The programs. All of the command line but main.c is a library, so that tests can reach it.
function(strata_program name)
	add_executable(${name} ${ARGN})
	target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}")
	target_link_libraries(${name} PRIVATE strata_everything)
endfunction()

file(GLOB_RECURSE cli_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/cli/*.c")
list(FILTER cli_sources EXCLUDE REGEX "/cli/(main\\.c|sim/.*)$")
if(cli_sources)
	add_library(strata_cli STATIC ${cli_sources})
	target_include_directories(strata_cli PUBLIC "${CMAKE_SOURCE_DIR}")
	target_link_libraries(strata_cli PUBLIC strata_everything)
else()
	add_library(strata_cli INTERFACE)
	target_link_libraries(strata_cli INTERFACE strata_everything)
endif()

if(EXISTS "${CMAKE_SOURCE_DIR}/cli/main.c")
	strata_program(strata cli/main.c)
	target_link_libraries(strata PRIVATE strata_cli)
endif()

file(GLOB sim_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/cli/sim/*.c")
if(EXISTS "${CMAKE_SOURCE_DIR}/cli/sim/main.c")
	strata_program(strata-sim ${sim_sources})
	target_link_libraries(strata-sim PRIVATE strata_cli)
	target_link_libraries(strata-sim PRIVATE strata_stepped)
	# What the ledger of sweeps calls this build.
	target_compile_definitions(strata-sim PRIVATE STRATA_BUILD_TYPE="${CMAKE_BUILD_TYPE}")
endif()

file(GLOB bench_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/bench/*.c")
if(bench_sources)
	strata_program(strata-bench ${bench_sources})
	# The marks for callgrind are compiled in once its header is there, which a compiler does not
	# look for again by itself; the definition makes it.
	find_path(STRATA_VALGRIND valgrind/callgrind.h)
	target_compile_definitions(strata-bench PRIVATE STRATA_CALLGRIND=$<BOOL:${STRATA_VALGRIND}>)
endif()

# One bulk transfer on the kernel's stack or on ours; what bench/linux/run measures. It uses our stack
# as any program would.
file(GLOB flow_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/bench/linux/*.c")
if(flow_sources)
	add_executable(strata-flow EXCLUDE_FROM_ALL ${flow_sources})
	target_link_libraries(strata-flow PRIVATE strata_everything)
endif()

# An example sees the public headers and the public library, and nothing else.
file(GLOB examples CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/examples/*.c")
if(TARGET strata_shared)
	foreach(source IN LISTS examples)
		get_filename_component(noun "${source}" NAME_WE)
		add_executable(example_${noun} "${source}")
		set_target_properties(example_${noun} PROPERTIES
			OUTPUT_NAME ${noun} RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/examples")
		target_link_libraries(example_${noun} PRIVATE strata_shared)
	endforeach()
endif()
