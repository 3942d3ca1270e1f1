#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What typed tasks refuse: each part of typed.c, alone, does not compile, and
# the compiler says a sentence that the part gives. The file compiles without
# any: typed.sh CC [CXX]. With clang too, if there is one.
. tests/checks/common.sh

file=tests/compile/typed.c
flags='-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion
    -Werror -Iinclude -fsyntax-only'

# Prints the number of each part.
parts() {
    sed -n 's|^#\(el\)\?if PART == ||p' $file
}

# sentences_of PART: prints what compilers say, each in its own words.
sentences_of() {
    sed -n "/^#\(el\)\?if PART == $1\$/,/^#e/s|^ */\* says: \(.*\) \*/|\1|p" $file
}

# with COMPILER
with() {
    local part said sentence found
    # shellcheck disable=SC2086 # $flags is several words
    "$1" $flags -DPART=0 $file || complain "$file is wrong for $1"
    for part in $(parts); do
        # shellcheck disable=SC2086
        if said=$(LC_ALL=C "$1" $flags -DPART="$part" $file 2>&1); then
            complain "$file: $1 accepts part $part"
            continue
        fi
        found=
        while read -r sentence; do
            if grep -qF -- "$sentence" <<<"$said"; then found=1; fi
        done < <(sentences_of "$part")
        [ -n "$found" ] || complain "$file: $1 says of part $part: $said"
    done
}

some "parts of $file" "$(parts)"
with "$1"
for clang in clang clang-14; do
    if command -v $clang >/dev/null && [[ $1 != *clang* ]]; then
        with $clang
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
