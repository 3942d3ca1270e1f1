# SPDX-License-Identifier: MIT
# Warnings for every target of this project, and of no project around it.

add_compile_options(-Wall -Wextra)
add_compile_options("$<$<COMPILE_LANGUAGE:C>:-Wpedantic;-Wconversion>")
if(CF_WERROR)
    add_compile_options(-Werror)
endif()
