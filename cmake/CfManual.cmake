# SPDX-License-Identifier: MIT
# The manual, which tools/manual/ makes of the comments in the headers.

if(CF_MAN)
    find_package(Python3 3.9 COMPONENTS Interpreter QUIET)
    if(NOT Python3_Interpreter_FOUND)
        message(STATUS "The manual is left out: Python 3.9 was not found "
                       "(Debian: python3)")
    endif()
endif()

# cf_manual_target(target what folder [ALL] [OPTIONS arg...])
# The target makes these pages in that folder, without any of former versions.
function(cf_manual_target target what folder)
    cmake_parse_arguments(PARSE_ARGV 3 arg "ALL" "" "OPTIONS")
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS
         ${PROJECT_SOURCE_DIR}/include/cfutures/*.h
         ${PROJECT_SOURCE_DIR}/tools/manual/*.py
         ${PROJECT_SOURCE_DIR}/docs/*.md)
    set(stamp ${PROJECT_BINARY_DIR}/generated/${target}.stamp)
    add_custom_command(
        OUTPUT ${stamp}
        COMMAND ${CMAKE_COMMAND} -E rm -rf ${folder}
        COMMAND ${Python3_EXECUTABLE}
                ${PROJECT_SOURCE_DIR}/tools/manual/manual.py ${what}
                ${arg_OPTIONS} ${folder}
        COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
        DEPENDS ${sources} ${PROJECT_SOURCE_DIR}/docs/cfutures.7
                ${PROJECT_SOURCE_DIR}/README.md)
    set(all)
    if(arg_ALL)
        set(all ALL)
    endif()
    add_custom_target(${target} ${all} DEPENDS ${stamp})
endfunction()

# cf_manual()
# The pages are in `all` and get installed, if they have been made. The web site
# is for the target cfutures_site.
function(cf_manual)
    if(NOT Python3_Interpreter_FOUND)
        return()
    endif()
    set(folder ${PROJECT_BINARY_DIR}/man)
    cf_manual_target(cfutures_man man ${folder} ALL)
    install(DIRECTORY ${folder}/ DESTINATION ${CMAKE_INSTALL_MANDIR}
            COMPONENT plain OPTIONAL)
    cf_manual_target(cfutures_site site ${PROJECT_BINARY_DIR}/site)
endfunction()
