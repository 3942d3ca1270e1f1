#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What typed tasks refuse: typed.sh CC [CXX]. With clang too, if there is one.
. tests/checks/common.sh
. tests/compile/refusals.sh

file=tests/compile/typed.c
flags='-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion
    -Werror -Iinclude -fsyntax-only'

# shellcheck disable=SC2086 # $flags is several words
refuses 99 $file "$1" $flags
for clang in clang clang-14; do
    if command -v $clang >/dev/null && [[ $1 != *clang* ]]; then
        # shellcheck disable=SC2086
        refuses 99 $file $clang $flags
        break
    fi
done

# In C++ the header compiles, and the macro says what it is for.
if [ -n "${2:-}" ]; then
    said=$("$2" -x c++ -std=c++17 -Iinclude -fsyntax-only $file 2>&1) &&
        complain "$file: $2 accepts it"
    grep -q 'static assertion failed.*CF_TASK_TYPED is for C' <<<"$said" ||
        complain "$file: $2 says: $said"
fi
finish
