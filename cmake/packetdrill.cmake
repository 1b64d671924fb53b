# build/libstrata-packetdrill.so: one of our hosts behind the interface by which packetdrill judges a stack
# that it loads. Shows one function.
file(GLOB bridge CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/packetdrill/*.c")
if(bridge AND "strata_posix" IN_LIST STRATA_LAYERS)
	set(version_script "${CMAKE_SOURCE_DIR}/cmake/packetdrill.map")
	add_library(strata_packetdrill SHARED ${bridge})
	set_target_properties(strata_packetdrill PROPERTIES
		OUTPUT_NAME strata-packetdrill LINK_DEPENDS "${version_script}")
	target_include_directories(strata_packetdrill PRIVATE "${CMAKE_SOURCE_DIR}")
	target_link_options(strata_packetdrill PRIVATE "LINKER:--version-script=${version_script}")
	target_link_libraries(strata_packetdrill PRIVATE strata_posix Threads::Threads)
endif()

# The small program that plays the judge.
function(strata_packetdrill_host)
	add_executable(packetdrill-host EXCLUDE_FROM_ALL tests/packetdrill-host/packetdrill_host.c)
	set_target_properties(packetdrill-host PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
	target_include_directories(packetdrill-host PRIVATE "${CMAKE_SOURCE_DIR}")
	target_link_libraries(packetdrill-host PRIVATE
		strata_packet Threads::Threads ${CMAKE_DL_LIBS})
	add_dependencies(packetdrill-host strata_packetdrill)
	add_dependencies(tests packetdrill-host)
	add_test(NAME packetdrill.host
		COMMAND packetdrill-host "$<TARGET_FILE:strata_packetdrill>")
	set_tests_properties(packetdrill.host PROPERTIES TIMEOUT 60 LABELS "packetdrill;packetdrill-host")
endfunction()
