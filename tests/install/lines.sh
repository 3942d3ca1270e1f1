# SPDX-License-Identifier: MIT
# Sourced by tests that type the lines of README.md, which a comment before each
# block names, such as <!-- tests/install: shared -->. They have set source, the
# source tree, and home, a folder of their own.
# shellcheck shell=bash
# shellcheck disable=SC2154 # source, home

typed_in=(bash) # the shell that takes the lines

# block NAME: its lines.
block() {
    awk -v mark="<!-- tests/install: $1 -->" '
        $0 == mark { here = 1; next }
        here == 1 && /^```/ { here = 2; next }
        here == 2 && /^```/ { exit }
        here == 2' "$source/README.md" >"$home/block"
    [ -s "$home/block" ] || fail "there is no block $1"
    cat "$home/block"
}

# at_most_five BLOCK...: that is how many commands they are, one a line.
at_most_five() {
    local lines count block
    lines=$(for block in "$@"; do block "$block"; done |
        sed ':a;/\\$/N;s/\\\n//;ta')
    ! grep -E '&&|\|\||;' <<<"$lines" || fail "a line of $* is two commands"
    count=$(wc -l <<<"$lines")
    [ "$count" -le 5 ] || fail "$* are $count commands"
    printf '\n== %s: %d commands\n' "$*" "$count"
}

# follow NAME [EXPRESSION]: types these lines, changed by sed, into a new shell,
# in the current folder.
follow() {
    local lines begin=$EPOCHREALTIME
    lines=$(block "$1" | sed -e "${2:-}")
    printf '\n== %s\n' "$1"
    HOME=$home "${typed_in[@]}" -euxc "$lines" >"$home/output" 2>&1 || {
        cat "$home/output"
        fail "the lines of '$1' failed"
    }
    cat "$home/output"
    printf '== %d ms\n' \
        $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000))
}

# says TEXT: the program that was run last has said so.
says() {
    grep -xF "$1" "$home/output" >/dev/null || fail "where is '$1'?"
}

# The same lines for C++.
# shellcheck disable=SC2034 # for those that source this
in_cxx='s/^cc hello.c/c++ -std=c++17 hello.cpp/;s/hello C)/hello CXX)/;s/ hello.c)/ hello.cpp)/'
