# One static library for each folder of src/, linked with the layers that it may stand on. A layer
# without sources is an interface library, so that those above link all the same.
find_package(Threads REQUIRED)
set(STRATA_LAYERS "")

function(strata_layer name)
	file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.c")
	if(sources)
		add_library(strata_${name} STATIC ${sources})
		target_include_directories(strata_${name} PUBLIC
			"${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include")
		strata_simd_flags(${sources})
		target_link_libraries(strata_${name} PUBLIC ${ARGN})
		set(STRATA_LAYERS ${STRATA_LAYERS} strata_${name} PARENT_SCOPE)
	else()
		add_library(strata_${name} INTERFACE)
		target_include_directories(strata_${name} INTERFACE
			"${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include")
		target_link_libraries(strata_${name} INTERFACE ${ARGN})
	endif()
endfunction()

strata_layer(base)
strata_layer(wire strata_base)
strata_layer(packet strata_wire)
strata_layer(access strata_packet)
strata_layer(internet strata_access)
strata_layer(transport strata_internet)
strata_layer(stack strata_transport)
strata_layer(socket strata_stack)
strata_layer(application strata_socket)
strata_layer(diag strata_packet)
strata_layer(host strata_socket Threads::Threads)
# Linux's socket calls in virtual time, and the scripts that are written in them.
strata_layer(posix strata_socket)
strata_layer(drill strata_posix)
# The machines of a simulated network run application servers, hence the layer above the socket.
strata_layer(sim strata_application)
strata_layer(api strata_application strata_host strata_sim strata_diag strata_drill)

# Everything, for programs and for tests that cross layers.
add_library(strata_everything INTERFACE)
target_link_libraries(strata_everything INTERFACE strata_api)

if(NOT STRATA_LAYERS)
	message(STATUS "no layer has sources yet")
	return()
endif()

# The functions of include/strata/ are defined in src/api and are the only ones with default
# visibility; the version script then keeps what is not called strata_* inside.
if(TARGET strata_api AND "strata_api" IN_LIST STRATA_LAYERS)
	set_target_properties(strata_api PROPERTIES C_VISIBILITY_PRESET default)
endif()

set(objects "")
foreach(layer IN LISTS STRATA_LAYERS)
	list(APPEND objects $<TARGET_OBJECTS:${layer}>)
endforeach()

set(version_script "${CMAKE_SOURCE_DIR}/cmake/strata.map")
add_library(strata_shared SHARED ${objects})
set_target_properties(strata_shared PROPERTIES
	OUTPUT_NAME strata LINKER_LANGUAGE C LINK_DEPENDS "${version_script}"
	VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_include_directories(strata_shared INTERFACE "${CMAKE_SOURCE_DIR}/include")
target_link_options(strata_shared PRIVATE "LINKER:--version-script=${version_script}")
if(NOT STRATA_SANITIZED)
	target_link_options(strata_shared PRIVATE "LINKER:-z,defs")
endif()
target_link_libraries(strata_shared PRIVATE Threads::Threads)

# libstrata.a is one object in which every name but strata_* has become local, so that it can be
# linked into any program without a clash.
if(NOT STRATA_SANITIZED)
	if(STRATA_LTO)
		# The compiler joins: the result is optimised as a whole, and is plain machine code.
		separate_arguments(join UNIX_COMMAND
			"${CMAKE_C_FLAGS_RELEASE} -fPIC -r -nostdlib -flinker-output=nolto-rel")
		list(PREPEND join "${CMAKE_C_COMPILER}")
	else()
		set(join "${CMAKE_LINKER}" -r)
	endif()
	add_custom_command(OUTPUT "${CMAKE_BINARY_DIR}/libstrata.a"
		COMMAND ${join} -o libstrata.o ${objects}
		COMMAND "${CMAKE_OBJCOPY}" -w "--keep-global-symbol=strata_*" libstrata.o
		COMMAND "${CMAKE_COMMAND}" -E rm -f libstrata.a
		COMMAND "${CMAKE_AR}" rcs libstrata.a libstrata.o
		DEPENDS ${STRATA_LAYERS} ${objects}
		COMMAND_EXPAND_LISTS VERBATIM
		COMMENT "Joining the layers in libstrata.a")
	add_custom_target(strata_static ALL DEPENDS "${CMAKE_BINARY_DIR}/libstrata.a")
endif()
