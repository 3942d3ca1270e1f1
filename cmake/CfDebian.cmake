# SPDX-License-Identifier: MIT
# CF_DEBIAN: cpack makes Debian packages, which lintian accepts. A package for
# each shared library, named after its soname, and one for development.
option(CF_DEBIAN "Prepare Debian packages, for cpack" OFF)
if(NOT CF_DEBIAN)
    return()
endif()
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    message(FATAL_ERROR "CF_DEBIAN: set CMAKE_INSTALL_PREFIX to /usr")
endif()
if(NOT CF_SHARED OR NOT CF_STATIC)
    message(FATAL_ERROR "CF_DEBIAN: both libraries are to be built")
endif()
find_program(CF_GZIP gzip REQUIRED)
mark_as_advanced(CF_GZIP)

set(release ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(debian ${PROJECT_BINARY_DIR}/debian)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # SOURCE_DATE_EPOCH's
set(contact "the libcfutures authors <libcfutures@example.org>")
set(homepage "https://example.org/libcfutures")

# cf_gzip(from to): as Debian wants it, the same bytes each time.
function(cf_gzip from to)
    execute_process(COMMAND ${CF_GZIP} -9nc ${from} OUTPUT_FILE ${to}
                    COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(READ ${PROJECT_SOURCE_DIR}/LICENSE license)
string(REGEX MATCH "Copyright \\(c\\) ([^\n]*)\n+(.*)" matched "${license}")
set(holder "${CMAKE_MATCH_1}")
set(terms "${CMAKE_MATCH_2}")
string(STRIP "${terms}" terms)
string(REPLACE "\n\n" "\n.\n" terms "${terms}")
string(REPLACE "\n" "\n " terms "${terms}")
file(WRITE ${debian}/copyright
     "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: libcfutures
Source: ${homepage}

Files: *
Copyright: ${holder}
License: Expat

License: Expat
 ${terms}
")
file(WRITE ${debian}/changelog
     "cfutures (${PROJECT_VERSION}-1) unstable; urgency=medium

  * A package made by cpack from the project's own sources.

 -- ${contact}  ${date}
")
cf_gzip(${debian}/changelog ${debian}/changelog.Debian.gz)
cf_gzip(${PROJECT_SOURCE_DIR}/docs/cfutures.7 ${debian}/cfutures.7.gz)
install(FILES ${debian}/cfutures.7.gz
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man7
        COMPONENT development EXCLUDE_FROM_ALL)

if(Python3_Interpreter_FOUND)
    cf_manual_target(cfutures_man_gz man ${debian}/man ALL OPTIONS --gzip)
    install(DIRECTORY ${debian}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}
            COMPONENT development EXCLUDE_FROM_ALL)
    cf_manual_target(cfutures_site_all site ${debian}/site ALL)
    install(DIRECTORY ${debian}/site/
            DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libcfutures-doc/html
            COMPONENT documentation EXCLUDE_FROM_ALL)
endif()

# cf_debian_package(component package SECTION section DEPENDS text
#                   SUMMARY text DESCRIPTION text)
macro(cf_debian_package component package)
    cmake_parse_arguments(arg "" "SECTION;DEPENDS;SUMMARY;DESCRIPTION" ""
                          ${ARGN})
    string(TOUPPER ${component} upper)
    list(APPEND CPACK_COMPONENTS_ALL ${component})
    set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package})
    set(CPACK_DEBIAN_${upper}_FILE_NAME DEB-DEFAULT)
    set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${arg_SECTION})
    set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${arg_DEPENDS}")
    set(CPACK_DEBIAN_${upper}_DESCRIPTION "${arg_SUMMARY}\n${arg_DESCRIPTION}")
    install(FILES ${debian}/copyright ${debian}/changelog.Debian.gz
            DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package}
            COMPONENT ${component} EXCLUDE_FROM_ALL)
endmacro()

# Archives are for linking, not for debugging.
install(CODE "file(GLOB archives
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/libcfutures*.a\")
    execute_process(COMMAND ${CMAKE_STRIP} --strip-debug -D \${archives}
                    COMMAND_ERROR_IS_FATAL ANY)"
        COMPONENT development)

# The loader's cache is to know of a new library.
file(WRITE ${debian}/triggers "activate-noawait ldconfig\n")

set(CPACK_COMPONENTS_ALL "")
set(core "libcfutures${release}")
set(exactly "(= ${PROJECT_VERSION}-1)")
cf_debian_package(
    runtime ${core} SECTION libs DEPENDS ""
    SUMMARY "futures and executors for C, as in Python"
    DESCRIPTION "Tasks are plain functions, which run in a pool of threads or of
worker processes, or in the calling thread. Each has a future to wait
for, to cancel, or to be called back by.
.
This package has the shared library.")
set(needed "${core} ${exactly}")
foreach(name IN LISTS CF_PACKAGED)
    set(package "libcfutures-${name}${release}")
    cf_debian_package(
        ${name} ${package} SECTION libs DEPENDS "${core} ${exactly}"
        SUMMARY "futures and executors for C (${name})"
        DESCRIPTION "Tasks are plain functions, which run in a pool of threads or of
worker processes, or as coroutines of an event loop.
.
This package has the shared library of the component ${name}.")
    string(APPEND needed ", ${package} ${exactly}")
endforeach()
foreach(name IN LISTS CPACK_COMPONENTS_ALL) # the development files come later
    string(TOUPPER ${name} upper)
    set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA ${debian}/triggers)
endforeach()
set(CPACK_DEBIAN_CURL_PACKAGE_DEPENDS
    "${core} ${exactly}, libcfutures-loop${release} ${exactly}")
cf_debian_package(
    development libcfutures-dev SECTION libdevel DEPENDS "${needed}"
    SUMMARY "futures and executors for C (development files)"
    DESCRIPTION "Tasks are plain functions, which run in a pool of threads or of
worker processes, or as coroutines of an event loop.
.
This package has the headers, the archives, the manual, and what CMake
and pkg-config need to find them.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS
    "libuv1-dev, libcurl4-openssl-dev")
if(Python3_Interpreter_FOUND)
    cf_debian_package(
        documentation libcfutures-doc SECTION doc DEPENDS ""
        SUMMARY "futures and executors for C (documentation)"
        DESCRIPTION "Tasks are plain functions, which run in a pool of threads or of
worker processes, or as coroutines of an event loop.
.
This package has the manual and the guides as a web site.")
    set(CPACK_DEBIAN_DOCUMENTATION_PACKAGE_ARCHITECTURE all)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cfutures)
set(CPACK_PACKAGE_CONTACT "${contact}")
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE ${homepage})
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS
    ${PROJECT_BINARY_DIR} ${PROJECT_BINARY_DIR}/event_loop)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY "=")
include(CPack)
