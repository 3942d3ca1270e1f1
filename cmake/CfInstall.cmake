# SPDX-License-Identifier: MIT
# cmake --install: headers, libraries, find_package() and pkg-config.
# Everything refers to its own place, so the installed tree may be moved.
include(CMakePackageConfigHelpers)

# For cmake/CfDebian.cmake; the shared libraries have components of their own.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME development)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cfutures)

# Paths in the .pc files start from where they lie themselves.
file(RELATIVE_PATH pc_to_prefix
     ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH pc_libdir
     ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH pc_includedir
     ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})

# What an archive needs besides, for the .pc files.
set(pc_atomic "")
if(CF_ATOMIC)
    set(pc_atomic " -l${CF_ATOMIC}")
endif()

# cf_install_library(name COMPONENT component PC name HEADERS header...)
# The libraries of that name; their targets are in <name>Targets.cmake. The
# pkg-config file is made of <PC>.pc.in, and the headers are in
# include/cfutures/.
function(cf_install_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "COMPONENT;PC" "HEADERS")
    set(libraries)
    if(CF_SHARED)
        list(APPEND libraries ${name})
    endif()
    if(CF_STATIC)
        list(APPEND libraries ${name}_static)
    endif()
    install(TARGETS ${libraries} EXPORT ${name}Targets
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
                    COMPONENT ${arg_COMPONENT} NAMELINK_COMPONENT development
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT ${name}Targets NAMESPACE cfutures::
            DESTINATION ${config_dir})
    list(TRANSFORM arg_HEADERS PREPEND ${PROJECT_SOURCE_DIR}/include/cfutures/)
    install(FILES ${arg_HEADERS}
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cfutures)
    # Where there is only the archive, programs need what it needs.
    set(pc_needs "")
    if(NOT CF_SHARED)
        set(pc_needs " \${needs}")
    endif()
    set(pc ${PROJECT_BINARY_DIR}/generated/${arg_PC}.pc)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/${arg_PC}.pc.in ${pc} @ONLY)
    install(FILES ${pc} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# cf_install_core()
# libcfutures: cfutures.h and what it includes.
function(cf_install_core)
    file(STRINGS include/cfutures/cfutures.h headers
         REGEX "^#include <cfutures/")
    list(TRANSFORM headers REPLACE ".*/(.*)>" "\\1")
    cf_install_library(cfutures COMPONENT runtime PC cfutures
                       HEADERS cfutures.h cfutures.hpp ${headers})
    install(DIRECTORY include/cfutures/cxx
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cfutures)

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
    # Packages have them in forms of their own.
    install(FILES docs/cfutures.7 DESTINATION ${CMAKE_INSTALL_MANDIR}/man7
            COMPONENT plain)
    install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT plain)
endfunction()

# cf_install_component(name PACKAGE package DEBIAN package [ALWAYS]
#                      USES component... HEADERS header...)
# find_package(cfutures COMPONENTS <name>) looks for the PACKAGE by the same
# module as this project. The archive needs it; ALWAYS: so does the shared
# library. DEBIAN is its name for people.
function(cf_install_component name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "ALWAYS" "PACKAGE;DEBIAN"
                          "HEADERS;USES")
    cf_install_library(cfutures_${name} COMPONENT ${name} PC cfutures-${name}
                       HEADERS ${arg_HEADERS})
    set(package ${arg_PACKAGE})
    set(debian ${arg_DEBIAN})
    set(uses ${arg_USES})
    set(always ${arg_ALWAYS})
    if(NOT CF_SHARED)
        set(always TRUE)
    endif()
    set(config ${PROJECT_BINARY_DIR}/generated/cfutures_${name}.cmake)
    configure_file(
        ${PROJECT_SOURCE_DIR}/cmake/cfuturesComponent.cmake.in ${config} @ONLY)
    install(FILES ${config} DESTINATION ${config_dir})
    set(module ${PROJECT_SOURCE_DIR}/cmake/Find${package}.cmake)
    if(EXISTS ${module})
        install(FILES ${module} DESTINATION ${config_dir})
    endif()
endfunction()
