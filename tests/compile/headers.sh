#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each public header compiles alone, and macros.c uses what headers alone do
# not expand, as C11, C17, C++17 and C++20: headers.sh CC [CXX]
. tests/checks/common.sh

warnings='-Wall -Wextra -Wpedantic -Wconversion -Werror'

# compiles COMPILER LANGUAGE STANDARD FILE
compiles() {
    # shellcheck disable=SC2086 # $warnings are several words
    "$1" -x "$2" -std="$3" $warnings -Iinclude -fsyntax-only "$4" ||
        complain "$4 is not $3 for $1"
}

headers=$(files h | grep '^include/')
some headers "$headers"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for header in $headers; do
    echo "#include <${header#include/}>" >"$scratch/$(basename "$header").c"
done
for file in "$scratch"/*.c tests/compile/macros.c; do
    compiles "$1" c c11 "$file"
    compiles "$1" c c17 "$file"
    if [ -n "${2:-}" ]; then
        compiles "$2" c++ c++17 "$file"
        compiles "$2" c++ c++20 "$file"
    fi
done
finish
