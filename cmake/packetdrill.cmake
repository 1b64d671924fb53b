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
