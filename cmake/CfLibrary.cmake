# SPDX-License-Identifier: MIT
# The verbs that the library, its backends and its components are written in.
include(CheckCCompilerFlag)

# What is in `all` and gets installed. What is not has a target all the same,
# for tests, and for other projects to link.
foreach(kind SHARED STATIC)
    set(CF_BUILD_${kind} "" CACHE STRING
        "Build and install that library: ON, OFF; empty: BUILD_SHARED_LIBS says")
    set_property(CACHE CF_BUILD_${kind} PROPERTY STRINGS "" ON OFF)
endforeach()
set(CF_SHARED ON)
set(CF_STATIC ON)
if(DEFINED BUILD_SHARED_LIBS)
    set(CF_SHARED ${BUILD_SHARED_LIBS})
    if(CF_SHARED)
        set(CF_STATIC OFF)
    endif()
endif()
foreach(kind SHARED STATIC)
    if(NOT CF_BUILD_${kind} STREQUAL "")
        set(CF_${kind} ${CF_BUILD_${kind}})
    endif()
endforeach()
if(NOT CF_SHARED AND NOT CF_STATIC)
    message(FATAL_ERROR "CF_BUILD_SHARED and CF_BUILD_STATIC are both off")
endif()

# cf_optimise(target)
# A project around this one may have no build type, and would get -O0. Flags of
# its own come later, or are in CMAKE_C_FLAGS.
function(cf_optimise target)
    if(NOT CMAKE_C_FLAGS MATCHES "(^| )-O")
        target_compile_options(${target} BEFORE PRIVATE $<$<CONFIG:>:-O2>)
    endif()
endfunction()

# cf_library(name SHARED target ARCHIVE target VERSION_SCRIPT text
#            [OPTIONS flag...] [DEFINITIONS def...])
# One set of objects, <name>_objects, and two libraries around it: <name>, which
# is cfutures::<SHARED>, and <name>_static, which is cfutures::<ARCHIVE>. If no
# shared library is asked for, cfutures::<SHARED> is the archive, too.
function(cf_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "SHARED;ARCHIVE;VERSION_SCRIPT"
                          "OPTIONS;DEFINITIONS")
    set(objects ${name}_objects)
    add_library(${objects} OBJECT)
    set_target_properties(${objects} PROPERTIES POSITION_INDEPENDENT_CODE ON
                                                C_VISIBILITY_PRESET hidden)
    target_compile_definitions(${objects} PRIVATE _GNU_SOURCE
                                                  ${arg_DEFINITIONS})
    target_include_directories(${objects} PRIVATE ${PROJECT_SOURCE_DIR}/include
                                                  ${PROJECT_SOURCE_DIR})
    target_link_libraries(${objects} PRIVATE Threads::Threads)
    cf_optimise(${objects})
    # Calls of public functions from within need no PLT, and thread-local data
    # costs one instruction instead of a call into the loader. Of the C libraries
    # only glibc has room for that in what dlopen() loads.
    set(flags -fno-semantic-interposition ${arg_OPTIONS})
    if(CF_IS_GLIBC)
        list(APPEND flags -ftls-model=initial-exec)
    endif()
    foreach(flag IN LISTS flags)
        string(MAKE_C_IDENTIFIER "CF_HAS${flag}" known)
        check_c_compiler_flag(${flag} ${known})
        if(${known})
            target_compile_options(${objects} PRIVATE ${flag})
        endif()
    endforeach()

    add_library(${name} SHARED $<TARGET_OBJECTS:${objects}>)
    add_library(${name}_static STATIC $<TARGET_OBJECTS:${objects}>)
    if(CF_SHARED)
        add_library(cfutures::${arg_SHARED} ALIAS ${name})
    else()
        add_library(cfutures::${arg_SHARED} ALIAS ${name}_static)
        set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
    add_library(cfutures::${arg_ARCHIVE} ALIAS ${name}_static)
    if(NOT CF_STATIC)
        set_target_properties(${name}_static PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
    foreach(library ${name} ${name}_static)
        target_include_directories(
            ${library}
            INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                      $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
        target_link_libraries(${library} PRIVATE Threads::Threads ${CF_ATOMIC})
        set_target_properties(${library} PROPERTIES LINKER_LANGUAGE C)
    endforeach()
    # Before 1.0 every minor version may change the ABI.
    set_target_properties(
        ${name}
        PROPERTIES EXPORT_NAME ${arg_SHARED}
                   VERSION ${PROJECT_VERSION}
                   SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    set_target_properties(
        ${name}_static PROPERTIES OUTPUT_NAME ${name}
                                  EXPORT_NAME ${arg_ARCHIVE})
    set(script ${PROJECT_BINARY_DIR}/generated/${name}.map)
    file(CONFIGURE OUTPUT ${script} CONTENT "${arg_VERSION_SCRIPT}\n")
    set_property(TARGET ${name} PROPERTY LINK_DEPENDS ${script})
    target_link_options(${name} PRIVATE LINKER:--version-script=${script})
    # Symbols are bound once, not in each worker that is forked.
    target_link_options(${name} PRIVATE LINKER:-z,now)
    # Threads may end later than it is unloaded: lib/base/stay_loaded.h.
    target_link_options(${name} PRIVATE LINKER:-z,nodelete)
    if(NOT CF_SANITIZE) # whose runtime is linked into programs only
        target_link_options(${name} PRIVATE LINKER:-z,defs)
    endif()
endfunction()

# What is public has the symbol version of the release that brought it. Before
# 1.0 each minor version is another library, and all is new in it.
set(CF_PUBLIC_SYMBOLS
    "CFUTURES_${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")

# cf_core()
# libcfutures: cfutures::cfutures and cfutures::static. What of lib/ components
# may use has a symbol version that is the release's own (lib/base/export.h).
function(cf_core)
    cf_library(
        cfutures
        SHARED cfutures
        ARCHIVE static
        DEFINITIONS CF__CORE
        VERSION_SCRIPT
            "${CF_PUBLIC_SYMBOLS} { global: cf_[a-z]*; };
CFUTURES_PRIVATE_${PROJECT_VERSION} { global: cf__*; };")
endfunction()

# cf_component(name PACKAGE package DEBIAN package LIBRARIES lib...
#              HEADERS header... [USES component...]
#              [PUBLIC_LIBRARIES lib...] [PULLS function] SOURCES file...)
# A library beside libcfutures, libcfutures_<name>: cfutures::<name> and
# cfutures::<name>_static. It needs the LIBRARIES, which find_package(<PACKAGE>)
# has found; in Debian they are in the package DEBIAN. PUBLIC_LIBRARIES are those
# that its headers include headers of. It USES other components. HEADERS are those
# of include/cfutures/ that are its own. Programs that link it get the object that
# defines PULLS, for its constructor, also if they call nothing of it.
# cmake/cfutures-<name>.pc.in says all that, too.
function(cf_component name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "PACKAGE;DEBIAN;PULLS"
                          "HEADERS;LIBRARIES;PUBLIC_LIBRARIES;SOURCES;USES")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "${name}: what is ${arg_UNPARSED_ARGUMENTS}?")
    endif()
    set(library cfutures_${name})
    cf_library(
        ${library}
        SHARED ${name}
        ARCHIVE ${name}_static
        OPTIONS -fno-plt # what it calls of libcfutures takes one jump less
        VERSION_SCRIPT
            "${CF_PUBLIC_SYMBOLS} { global: cf_[a-z]*; local: cf__*; };")
    target_sources(${library}_objects PRIVATE ${arg_SOURCES})
    target_link_libraries(${library}_objects PRIVATE ${arg_LIBRARIES}
                                                     ${arg_PUBLIC_LIBRARIES})
    foreach(used IN LISTS arg_USES)
        target_link_libraries(${library} PUBLIC cfutures_${used})
        target_link_libraries(${library}_static PUBLIC cfutures_${used}_static)
    endforeach()
    target_link_libraries(${library} PUBLIC cfutures ${arg_PUBLIC_LIBRARIES}
                                     PRIVATE ${arg_LIBRARIES})
    target_link_libraries(
        ${library}_static PUBLIC cfutures_static ${arg_PUBLIC_LIBRARIES}
                          PRIVATE ${arg_LIBRARIES})
    set_target_properties(${library} PROPERTIES INSTALL_RPATH "$ORIGIN"
                                                CF_HEADERS "${arg_HEADERS}")
    set_property(GLOBAL APPEND PROPERTY CF_COMPONENTS ${name})
    if(arg_PULLS)
        target_link_options(
            ${library}_static INTERFACE LINKER:--undefined=${arg_PULLS})
        # One word, so that nothing can come in between.
        string(CONCAT keep "-Wl,--push-state,--no-as-needed,"
                           "$<TARGET_LINKER_FILE:$<TARGET_NAME:${library}>>"
                           ",--pop-state")
        target_link_libraries(${library} INTERFACE ${keep})
    endif()
    if(CF_INSTALL)
        set(always)
        if(arg_PUBLIC_LIBRARIES)
            set(always ALWAYS)
        endif()
        cf_install_component(
            ${name} PACKAGE ${arg_PACKAGE} DEBIAN ${arg_DEBIAN} ${always}
            USES ${arg_USES} HEADERS ${arg_HEADERS})
    endif()
endfunction()

# cf_sources(file...)
# Adds files of the current folder to libcfutures.
function(cf_sources)
    foreach(file IN LISTS ARGN)
        target_sources(cfutures_objects
                       PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    endforeach()
endfunction()

# cf_backend(folder)
# Adds the folder of a backend, which defines cf__backend_<folder>.
function(cf_backend folder)
    add_subdirectory(${folder})
    set(CF_BACKENDS ${CF_BACKENDS} ${folder} PARENT_SCOPE)
endfunction()

# cf_component_backend(spec)
# Programs may open that spec if they link the component with its backend.
function(cf_component_backend spec)
    set(CF_COMPONENT_BACKENDS ${CF_COMPONENT_BACKENDS} ${spec} PARENT_SCOPE)
endfunction()

# cf_generate_backends()
# Writes the table of all such lines before it.
function(cf_generate_backends)
    set(cf_backend_externs "")
    set(cf_backend_entries "")
    set(cf_backend_places "")
    foreach(name IN LISTS CF_BACKENDS)
        string(APPEND cf_backend_externs
               "extern const struct cf__backend cf__backend_${name};\n")
        string(APPEND cf_backend_entries "    &cf__backend_${name},\n")
    endforeach()
    foreach(spec IN LISTS CF_COMPONENT_BACKENDS)
        string(APPEND cf_backend_places "    {\"${spec}\", NULL},\n")
    endforeach()
    set(file ${PROJECT_BINARY_DIR}/generated/backends.c)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/backends.c.in ${file} @ONLY)
    target_sources(cfutures_objects PRIVATE ${file})
endfunction()
