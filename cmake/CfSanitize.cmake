# SPDX-License-Identifier: MIT
# CF_SANITIZE: everything built here is instrumented, so that no half of a
# program is blind to what the other half does. A finding ends the program.

# What the library asserts of itself (lib/base/assert.h) runs there, too, and in
# Debug builds.
add_compile_definitions($<$<CONFIG:Debug>:CF_ASSERTIONS>)

if(CF_SANITIZE)
    if(CF_SANITIZE MATCHES "thread" AND CF_SANITIZE MATCHES "address")
        message(FATAL_ERROR
                "CF_SANITIZE: thread and address exclude each other")
    endif()
    add_compile_options(-fsanitize=${CF_SANITIZE} -fno-omit-frame-pointer
                        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${CF_SANITIZE})
    add_compile_definitions(CF_ASSERTIONS)
endif()
