#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each public header compiles alone, and macros.c and switches.c use what headers
# alone do not expand, as C11, C17, C++17 and C++20: headers.sh CC [CXX]. With
# clang too, if there is one.
. tests/checks/common.sh

warnings='-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wswitch
    -Wswitch-enum -Werror'
cxx_warnings='-Wold-style-cast'
clang_warnings='-Wcovered-switch-default -Wassign-enum'

# compiles COMPILER LANGUAGE STANDARD FILE
compiles() {
    local more=
    [[ $1 != *clang* ]] || more=$clang_warnings
    [ "$2" != c++ ] || more+=" $cxx_warnings"
    # shellcheck disable=SC2086 # $warnings and $more are several words
    "$1" -x "$2" -std="$3" $warnings $more -Iinclude -fsyntax-only "$4" ||
        complain "$4 is not $3 for $1"
}

headers=$(files h | grep '^include/')
cxx_headers=$(files hpp | grep '^include/')
if ! echo '#include <curl/curl.h>' | "$1" -E - >/dev/null 2>&1; then
    headers=$(grep -v '/curl\.h$' <<<"$headers") # needs libcurl's
fi
some headers "$headers"
some 'headers of C++' "$cxx_headers"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for header in $headers; do
    echo "#include <${header#include/}>" >"$scratch/$(basename "$header").c"
done
for header in $cxx_headers; do
    echo "#include <${header#include/}>" >"$scratch/$(basename "$header").cpp"
done

# with CC [CXX]
with() {
    local file
    for file in "$scratch"/*.c tests/compile/macros.c \
        tests/compile/switches.c; do
        compiles "$1" c c11 "$file"
        compiles "$1" c c17 "$file"
        if [ -n "${2:-}" ]; then
            compiles "$2" c++ c++17 "$file"
            compiles "$2" c++ c++20 "$file"
        fi
    done
    [ -n "${2:-}" ] || return 0
    for file in "$scratch"/*.cpp; do
        compiles "$2" c++ c++17 "$file"
    done
    compiles "$2" c++ c++20 "$scratch/cfutures.hpp.cpp"
}

with "$@"
for clang in clang clang-14; do
    if command -v $clang >/dev/null && [[ $1 != *clang* ]]; then
        with $clang "${clang/clang/clang++}"
        break
    fi
done
finish
