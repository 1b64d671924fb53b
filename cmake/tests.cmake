# The tests are not part of `all`: the target `tests` builds them, CTest knows how to run them.
enable_testing()
add_custom_target(tests)
find_library(STRATA_CMOCKA cmocka)

set(test_options "")
if(STRATA_LTO)
	# Their own code is not what is measured.
	set(test_options -fno-lto -O1 "SHELL:--param max-inline-insns-auto=15"
		"SHELL:--param max-inline-insns-single=70")
endif()

# tests/support/*.c is shared by all tests.
file(GLOB support CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/support/*.c")
if(support)
	add_library(strata_test_support STATIC EXCLUDE_FROM_ALL ${support})
	target_include_directories(strata_test_support PUBLIC "${CMAKE_SOURCE_DIR}/tests")
	target_compile_options(strata_test_support PRIVATE ${test_options})
	target_link_libraries(strata_test_support PUBLIC strata_everything)
else()
	add_library(strata_test_support INTERFACE)
endif()

# tests/tools/*.c: programs that scripts need, each of its own, found in $STRATA_BUILD/tests.
add_custom_target(test-tools)
add_dependencies(tests test-tools)
file(GLOB tools CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/tools/*.c")
foreach(source IN LISTS tools)
	get_filename_component(program "${source}" NAME_WE)
	add_executable(${program} EXCLUDE_FROM_ALL "${source}")
	set_target_properties(${program} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
	target_compile_options(${program} PRIVATE ${test_options})
	target_link_options(${program} PRIVATE ${test_options})
	target_link_libraries(${program} PRIVATE strata_test_support strata_everything)
	add_dependencies(test-tools ${program})
endforeach()

# One program for each test_*.c; NAME is what CTest calls it, its labels are its kind and program.
function(strata_test name source timeout)
	get_filename_component(program "${source}" NAME_WE)
	add_executable(${program} EXCLUDE_FROM_ALL "${source}")
	set_target_properties(${program} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
	target_include_directories(${program} PRIVATE
		"${CMAKE_SOURCE_DIR}/tests" "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include"
		"${CMAKE_SOURCE_DIR}")
	target_compile_options(${program} PRIVATE ${test_options})
	target_link_options(${program} PRIVATE ${test_options})
	target_link_libraries(${program} PRIVATE ${ARGN} ${STRATA_CMOCKA} m)
	add_dependencies(tests ${program})
	string(REGEX REPLACE "\\..*$" "" kind "${name}")
	add_test(NAME ${name} COMMAND ${program} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
	set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout} LABELS "${kind};${program}")
endfunction()

if(CMAKE_BUILD_TYPE STREQUAL "Fuzz")
	message(STATUS "only the fuzz targets are built here")
elseif(STRATA_CMOCKA)
	file(GLOB_RECURSE unit_tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/test_*.c")
	foreach(source IN LISTS unit_tests)
		file(RELATIVE_PATH path "${CMAKE_SOURCE_DIR}/tests/unit" "${source}")
		string(REGEX REPLACE "/.*$" "" layer "${path}")
		if(NOT TARGET strata_${layer})
			message(FATAL_ERROR "tests/unit/${path}: there is no layer '${layer}'")
		endif()
		get_filename_component(noun "${source}" NAME_WE)
		string(REGEX REPLACE "^test_" "" noun "${noun}")
		strata_test(unit.${layer}.${noun} "${source}" 120 strata_${layer})
	endforeach()

	foreach(kind scenario sim)
		file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${kind}/test_*.c")
		foreach(source IN LISTS sources)
			get_filename_component(noun "${source}" NAME_WE)
			string(REGEX REPLACE "^test_" "" noun "${noun}")
			strata_test(${kind}.${noun} "${source}" 300 strata_test_support strata_cli)
		endforeach()
	endforeach()
else()
	message(STATUS "cmocka not found: unit, scenario and sim tests are left out")
endif()

# A fuzz target is a libFuzzer program in the fuzz build; elsewhere it replays its corpus.
file(GLOB fuzz_targets CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_*.c")
foreach(source IN LISTS fuzz_targets)
	get_filename_component(program "${source}" NAME_WE)
	string(REGEX REPLACE "^fuzz_" "" noun "${program}")
	add_executable(${program} EXCLUDE_FROM_ALL "${source}")
	set_target_properties(${program} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
	target_include_directories(${program} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
	target_compile_options(${program} PRIVATE ${test_options})
	target_link_options(${program} PRIVATE ${test_options})
	target_link_libraries(${program} PRIVATE strata_everything)
	add_dependencies(tests ${program})
	if(CMAKE_BUILD_TYPE STREQUAL "Fuzz")
		target_link_options(${program} PRIVATE -fsanitize=fuzzer)
	else()
		target_sources(${program} PRIVATE "${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c")
		add_test(NAME fuzz.${noun}
			COMMAND ${program} "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${noun}")
		set_tests_properties(fuzz.${noun} PROPERTIES TIMEOUT 120 LABELS "fuzz;${program}")
	endif()
endforeach()

if(TARGET strata_packetdrill AND NOT CMAKE_BUILD_TYPE STREQUAL "Fuzz")
	strata_packetdrill_host()
endif()
