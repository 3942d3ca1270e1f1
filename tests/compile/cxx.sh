#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What <cfutures/cfutures.hpp> refuses, in one sentence each: cxx.sh CC CXX. With
# clang too, if there is one.
. tests/checks/common.sh
. tests/compile/refusals.sh

file=tests/compile/cxx.cpp
warnings='-Wall -Wextra'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

[ -n "${2:-}" ] || {
    echo "cxx: there is no C++ compiler"
    exit 77
}

# with COMPILER: the header is compiled once, for all parts.
with() {
    local header
    if [[ $1 == *clang* ]]; then
        header="-include-pch $scratch/clang.pch"
        "$1" -std=c++17 -Iinclude -x c++-header include/cfutures/cfutures.hpp \
            -o "$scratch/clang.pch"
    else
        mkdir -p "$scratch/cfutures"
        "$1" -std=c++17 -Iinclude $warnings -x c++-header \
            include/cfutures/cfutures.hpp \
            -o "$scratch/cfutures/cfutures.hpp.gch"
        header="-I$scratch"
    fi
    # shellcheck disable=SC2086 # these are several words
    refuses 1 $file "$1" $header -std=c++17 $warnings -Iinclude -fsyntax-only
}

# says FLAG SENTENCE: of a file that includes the header.
says() {
    local said
    said=$("$cxx" -std=c++17 -Iinclude -fsyntax-only "$1" $file 2>&1) &&
        complain "$cxx takes $1"
    grep -qF "$2" <<<"$said" || complain "$cxx $1 says: $said"
}

cxx=$2
says -std=c++14 'need C++17: -std=c++17'
says -fno-exceptions 'need exceptions'
"$cxx" -std=c++17 -Iinclude -fsyntax-only -fno-rtti $file ||
    complain "$file needs RTTI"
with "$cxx"
for clang in clang++ clang++-14; do
    if command -v $clang >/dev/null && [[ $cxx != *clang* ]]; then
        with $clang
        break
    fi
done
finish
