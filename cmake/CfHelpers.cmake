# SPDX-License-Identifier: MIT
# The verbs that the CMakeLists.txt files of the tests are written in.

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

# cf_test_program(name SOURCES file... [DEFINITIONS def...] [LIBRARIES lib...])
# It is linked to the archive, so that it may call what is hidden, and includes
# from the root: how far it may look is for the `layering` check to say.
function(cf_test_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEFINITIONS;LIBRARIES")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "${name}: what is ${arg_UNPARSED_ARGUMENTS}?")
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
    set(processes 0)
    if("process_pool" IN_LIST CF_BACKENDS)
        set(processes 1)
    endif()
    target_compile_definitions(
        ${name} PRIVATE HAS_PROCESSES=${processes} ${arg_DEFINITIONS})
    target_link_libraries(
        ${name} PRIVATE ${arg_LIBRARIES} cfutures::static Threads::Threads)
    get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
    if(NOT TARGET tests_${folder}) # to build one folder's
        add_custom_target(tests_${folder})
    endif()
    add_dependencies(tests_${folder} ${name})
endfunction()

# cf_plain_test(name [ARGS arg...] [TIMEOUT seconds] [SERIAL]
#               and what cf_test_program() takes)
# A program with a main() of its own that exits with 0, 1, or 77 for skipped;
# SERIAL: ctest runs nothing beside it.
function(cf_plain_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT"
                          "ARGS;SOURCES;DEFINITIONS;LIBRARIES")
    cf_test_program(
        ${name} ${arg_UNPARSED_ARGUMENTS} SOURCES ${arg_SOURCES}
                DEFINITIONS ${arg_DEFINITIONS} LIBRARIES ${arg_LIBRARIES})
    add_test(NAME ${name} COMMAND ${name} ${arg_ARGS})
    if(arg_SERIAL)
        set(serial SERIAL)
    endif()
    cf_test_properties(${name} TIMEOUT ${arg_TIMEOUT} ${serial})
endfunction()

# cf_criterion_test(name [SUITES suite...] [TIMEOUT seconds] [SERIAL]
#                   and what cf_test_program() takes)
# All Criterion tests of a program as one ctest; or each suite of it as one,
# <name>_<suite>. ThreadSanitizer does not get along with Criterion's processes:
# the stress programs are its tests.
function(cf_criterion_test name)
    if(NOT CF_HAVE_CRITERION OR CF_SANITIZE MATCHES "thread")
        return()
    endif()
    cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT"
                          "SUITES;SOURCES;DEFINITIONS;LIBRARIES")
    cf_test_program(
        ${name} ${arg_UNPARSED_ARGUMENTS} SOURCES ${arg_SOURCES}
                DEFINITIONS ${arg_DEFINITIONS}
                LIBRARIES ${arg_LIBRARIES} PkgConfig::CRITERION)
    if(arg_SERIAL)
        set(serial SERIAL)
    endif()
    set(command ${name} --jobs 1 --timeout 60 --color=never)
    if(arg_SUITES)
        foreach(suite IN LISTS arg_SUITES)
            add_test(NAME ${name}_${suite} COMMAND ${command} --filter ${suite}/*)
        endforeach()
        list(TRANSFORM arg_SUITES PREPEND ${name}_ OUTPUT_VARIABLE tests)
    else()
        add_test(NAME ${name} COMMAND ${command})
        set(tests ${name})
    endif()
    foreach(test IN LISTS tests)
        cf_test_properties(${test} TIMEOUT ${arg_TIMEOUT} ${serial})
        # A suite in which nothing ran, for whatever reason, has shown nothing.
        # And Criterion does not always notice how the process of a test ends,
        # which is when a sanitizer has looked for leaks.
        set_property(TEST ${test} PROPERTY FAIL_REGULAR_EXPRESSION
                     "Tested: 0 |detected memory leaks")
    endforeach()
endfunction()

# cf_cxx_properties(target standard)
# How a test in C++ is compiled.
function(cf_cxx_properties target standard)
    set_target_properties(
        ${target} PROPERTIES CXX_STANDARD ${standard}
                             CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
    target_compile_options(${target} PRIVATE -Wpedantic -Wconversion)
    if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CF_SANITIZE MATCHES "undef")
        # clang 14 cannot assemble this check of a coroutine.
        target_compile_options(${target} PRIVATE -fno-sanitize=function)
    endif()
endfunction()
