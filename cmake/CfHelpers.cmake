# SPDX-License-Identifier: MIT
# The few verbs that the other CMakeLists.txt files are written in.
include(CheckCCompilerFlag)

# cf_library_targets()
# The objects that everything is made of and the two libraries around them.
function(cf_library_targets)
    add_library(cfutures_objects OBJECT)
    set_target_properties(
        cfutures_objects PROPERTIES POSITION_INDEPENDENT_CODE ON
                                    C_VISIBILITY_PRESET hidden)
    target_compile_definitions(cfutures_objects PRIVATE _GNU_SOURCE)
    target_include_directories(
        cfutures_objects PRIVATE ${PROJECT_SOURCE_DIR}/include
                                 ${PROJECT_SOURCE_DIR})
    target_link_libraries(cfutures_objects PRIVATE Threads::Threads)
    # Calls of public functions from within need no PLT, and thread-local data
    # costs one instruction instead of a call into the loader.
    foreach(flag -fno-semantic-interposition -ftls-model=initial-exec)
        string(MAKE_C_IDENTIFIER "CF_HAS${flag}" known)
        check_c_compiler_flag(${flag} ${known})
        if(${known})
            target_compile_options(cfutures_objects PRIVATE ${flag})
        endif()
    endforeach()

    add_library(cfutures SHARED $<TARGET_OBJECTS:cfutures_objects>)
    add_library(cfutures_static STATIC $<TARGET_OBJECTS:cfutures_objects>)
    add_library(cfutures::cfutures ALIAS cfutures)
    add_library(cfutures::static ALIAS cfutures_static)
    foreach(library cfutures cfutures_static)
        target_include_directories(
            ${library}
            INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                      $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
        target_link_libraries(${library} PRIVATE Threads::Threads)
        set_target_properties(${library} PROPERTIES LINKER_LANGUAGE C)
    endforeach()
    # Before 1.0 every minor version may change the ABI.
    set_target_properties(
        cfutures
        PROPERTIES VERSION ${PROJECT_VERSION}
                   SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    set_target_properties(
        cfutures_static PROPERTIES OUTPUT_NAME cfutures EXPORT_NAME static)
    # Symbols are bound once, not in each worker that is forked.
    target_link_options(cfutures PRIVATE LINKER:-z,now)
    # Threads may end later than it is unloaded: lib/base/stay_loaded.h.
    target_link_options(cfutures PRIVATE LINKER:-z,nodelete)
    if(NOT CF_SANITIZE) # whose runtime is linked into programs only
        target_link_options(cfutures PRIVATE LINKER:-z,defs)
    endif()
endfunction()

# cf_sources(file...)
# Adds files of the current folder to the library.
function(cf_sources)
    foreach(file IN LISTS ARGN)
        target_sources(cfutures_objects
                       PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    endforeach()
endfunction()

# cf_backend(name)
# Adds the folder of a backend, which defines cf__backend_<name>.
function(cf_backend name)
    add_subdirectory(${name})
    set(CF_BACKENDS ${CF_BACKENDS} ${name} PARENT_SCOPE)
endfunction()

# cf_generate_backends()
# Writes the table of all cf_backend() lines before it.
function(cf_generate_backends)
    set(cf_backend_externs "")
    set(cf_backend_entries "")
    foreach(name IN LISTS CF_BACKENDS)
        string(APPEND cf_backend_externs
               "extern const struct cf__backend cf__backend_${name};\n")
        string(APPEND cf_backend_entries "    &cf__backend_${name},\n")
    endforeach()
    set(file ${PROJECT_BINARY_DIR}/generated/backends.c)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/backends.c.in ${file} @ONLY)
    target_sources(cfutures_objects PRIVATE ${file})
endfunction()

# cf_test_properties(test TIMEOUT seconds)
# What all tests share: the label is the folder, 77 means skipped, and the
# thread sanitizer stops at its first finding.
function(cf_test_properties test)
    cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "")
    get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    set_tests_properties(
        ${test}
        PROPERTIES LABELS ${folder}
                   TIMEOUT ${arg_TIMEOUT}
                   RUN_SERIAL ${arg_SERIAL}
                   SKIP_RETURN_CODE 77
                   ENVIRONMENT "TSAN_OPTIONS=halt_on_error=1")
endfunction()

# cf_plain_test(name SOURCES file... [ARGS arg...] [TIMEOUT seconds] [SERIAL]
#               [DEFINITIONS def...] [LIBRARIES lib...])
# A program with a main() of its own that exits with 0, 1, or 77 for skipped;
# SERIAL: ctest runs nothing beside it. It is linked to the archive, so that
# it may call what is hidden, and includes from the root: how far it may look
# is for the `layering` check to say.
function(cf_plain_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT"
                          "SOURCES;ARGS;DEFINITIONS;LIBRARIES")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "${name}: what is ${arg_UNPARSED_ARGUMENTS}?")
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_definitions(${name} PRIVATE ${arg_DEFINITIONS})
    target_link_libraries(
        ${name} PRIVATE ${arg_LIBRARIES} cfutures::static Threads::Threads)
    add_test(NAME ${name} COMMAND ${name} ${arg_ARGS})
    if(arg_SERIAL)
        set(serial SERIAL)
    endif()
    cf_test_properties(${name} TIMEOUT ${arg_TIMEOUT} ${serial})
endfunction()

# cf_criterion_test(name SOURCES file... [TIMEOUT seconds] [SERIAL]
#                   [DEFINITIONS def...] [LIBRARIES lib...])
# All Criterion tests of some files as one ctest. ThreadSanitizer does not get
# along with Criterion's processes: the stress programs are its tests.
function(cf_criterion_test name)
    if(NOT CF_HAVE_CRITERION OR CF_SANITIZE MATCHES "thread")
        return()
    endif()
    cf_plain_test(${name} ${ARGN} ARGS --jobs 1 --timeout 60 --color=never)
    target_link_libraries(${name} PRIVATE PkgConfig::CRITERION)
    # A suite in which nothing ran, for whatever reason, has shown nothing.
    set_property(TEST ${name} PROPERTY
                 FAIL_REGULAR_EXPRESSION "Tested: 0 ")
endfunction()
