#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The C++ of docs/cpp.md compiles: guide.sh CC CXX. Each block is a function,
# but for whole programs, and those under "at namespace level"; they follow what
# tests/compile/guide.hpp declares.
. tests/checks/common.sh

[ -n "${2:-}" ] || {
    echo "guide: there is no C++ compiler"
    exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

awk '
    BEGIN { print "#include \"tests/compile/guide.hpp\"" }
    /^<!-- samples\// { skip = 1; next }
    /^<!-- at namespace level -->$/ { outside = 1; next }
    /^```cpp$/ {
        if (skip) next
        inside = 1
        blocks++
        if (!outside)
            printf "void block_%d()\n{\n", blocks
        printf "#line %d \"docs/cpp.md\"\n", NR + 1
        next
    }
    /^```$/ {
        if (inside && !outside) print "}"
        inside = outside = skip = 0
        next
    }
    inside
    END { if (blocks < 5) print "#error where are the blocks?" }
' docs/cpp.md >"$scratch/guide.cpp"
"$2" -std=c++20 -Wall -Wextra -Iinclude -I. -fsyntax-only \
    -Wno-unused-variable -Wno-unused-but-set-variable "$scratch/guide.cpp" ||
    complain "docs/cpp.md is no C++ for $2"
finish
