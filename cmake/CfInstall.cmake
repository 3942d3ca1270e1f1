# SPDX-License-Identifier: MIT
# cmake --install: headers, both libraries, find_package() and pkg-config.
# Everything refers to its own place, so the installed tree may be moved.
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cfutures)

install(DIRECTORY include/cfutures DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(TARGETS cfutures cfutures_static EXPORT cfuturesTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT cfuturesTargets NAMESPACE cfutures::
        DESTINATION ${config_dir})

configure_package_config_file(
    cmake/cfuturesConfig.cmake.in generated/cfuturesConfig.cmake
    INSTALL_DESTINATION ${config_dir}
    NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(
    generated/cfuturesConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/generated/cfuturesConfig.cmake
              ${PROJECT_BINARY_DIR}/generated/cfuturesConfigVersion.cmake
        DESTINATION ${config_dir})

# Paths in the .pc file start from where it lies itself.
file(RELATIVE_PATH pc_to_prefix
     ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH pc_libdir
     ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH pc_includedir
     ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/cfutures.pc.in generated/cfutures.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/generated/cfutures.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES docs/cfutures.7 DESTINATION ${CMAKE_INSTALL_MANDIR}/man7)
if(TARGET cfutures::loop)
    install(FILES tools/gdb/cfutures-gdb.py
            DESTINATION ${CMAKE_INSTALL_DATADIR}/cfutures)
endif()
