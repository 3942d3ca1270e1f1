# SPDX-License-Identifier: MIT
# How the event loop switches stacks (event_loop/context.c): by instructions of
# its own, on x86-64; by two assembler functions out of Debian's
# libboost-context-dev; or by <ucontext.h>, which takes two calls of the kernel
# each time.
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)

set(CF_CONTEXT "" CACHE STRING
    "Stacks are switched by fcontext or ucontext; empty: the fastest there is")
set_property(CACHE CF_CONTEXT PROPERTY STRINGS "" fcontext ucontext)

# cf_use_fcontext(name)
# Links the two functions into both libraries of that name, under names of ours,
# so that no program meets them twice, and defines for its objects what context.h
# has to be compiled with.
function(cf_use_fcontext name)
    if(CF_CONTEXT STREQUAL "ucontext")
        target_compile_definitions(${name}_objects PRIVATE CF_UCONTEXT)
        return()
    endif()
    check_c_source_compiles("#ifndef __x86_64__
                             #error
                             #endif
                             int main(void) { return 0; }"
                            CF_IS_X86_64)
    if(CF_IS_X86_64 AND NOT CF_CONTEXT)
        return()
    endif()
    find_library(CF_BOOST_CONTEXT libboost_context.a)
    mark_as_advanced(CF_BOOST_CONTEXT)
    if(CF_BOOST_CONTEXT AND CMAKE_OBJCOPY)
        set(CMAKE_REQUIRED_LIBRARIES ${CF_BOOST_CONTEXT})
        check_c_source_compiles(
            "#include <stddef.h>
            struct transfer { void *fcontext; void *data; };
            struct transfer jump_fcontext(void *to, void *data);
            void *make_fcontext(void *, size_t, void (*)(struct transfer));
            static void fn(struct transfer t) { jump_fcontext(t.fcontext, 0); }
            static char stack[65536];
            int main(void)
            {
                jump_fcontext(
                    make_fcontext(stack + sizeof stack, sizeof stack, fn), 0);
                return 0;
            }"
            CF_LINKS_FCONTEXT)
    endif()
    if(NOT CF_LINKS_FCONTEXT)
        if(CF_CONTEXT STREQUAL "fcontext")
            message(FATAL_ERROR "CF_CONTEXT: install libboost-context-dev")
        endif()
        return()
    endif()
    set(folder ${PROJECT_BINARY_DIR}/fcontext)
    file(MAKE_DIRECTORY ${folder})
    execute_process(COMMAND ${CMAKE_AR} x ${CF_BOOST_CONTEXT}
                    WORKING_DIRECTORY ${folder} RESULT_VARIABLE failed)
    file(GLOB objects ${folder}/make_*.o ${folder}/jump_*.o)
    list(LENGTH objects count)
    if(failed OR NOT count EQUAL 2)
        message(FATAL_ERROR "${CF_BOOST_CONTEXT}: two objects are expected")
    endif()
    foreach(object IN LISTS objects)
        execute_process(COMMAND ${CMAKE_OBJCOPY}
                                --redefine-sym make_fcontext=cf__make_fcontext
                                --redefine-sym jump_fcontext=cf__jump_fcontext
                                ${object}
                        COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
    foreach(library ${name} ${name}_static)
        target_sources(${library} PRIVATE ${objects})
    endforeach()
    target_compile_definitions(${name}_objects PRIVATE CF_FCONTEXT)
endfunction()
