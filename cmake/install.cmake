# What `make install` copies: the program, both libraries, the public headers, and where they exist the
# pages and the completions. The pkg-config file finds its folders from where it lies, so an installed
# tree may be moved.
if(TARGET strata)
	install(TARGETS strata)
endif()
if(TARGET strata_shared)
	install(TARGETS strata_shared)
endif()
if(TARGET strata_static)
	install(FILES "${CMAKE_BINARY_DIR}/libstrata.a" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()
install(DIRECTORY include/strata TYPE INCLUDE FILES_MATCHING PATTERN "*.h")

file(RELATIVE_PATH STRATA_PREFIX_FROM_PC
	"/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" STRATA_PREFIX_FROM_PC "${STRATA_PREFIX_FROM_PC}")
configure_file(cmake/strata.pc.in strata.pc @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/strata.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

file(GLOB pages CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/man/*.1")
install(FILES ${pages} DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
file(GLOB completions CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/completions/*.bash")
foreach(completion IN LISTS completions)
	get_filename_component(name "${completion}" NAME_WE)
	install(FILES "${completion}" RENAME "${name}"
		DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
endforeach()
