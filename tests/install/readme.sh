#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Does what README.md says under "Install and link", and docs/install.md of
# Debian packages, line by line, in a home of its own: readme.sh SOURCE GENERATOR
# CC [CXX]. A block of these is named by the comment before it, such as
# <!-- tests/install: shared -->.
set -euo pipefail

source=$1 generator=$2 cc=$3 cxx=${4:-}
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT

fail() {
    echo "readme: $*" >&2
    exit 1
}

# block NAME: its lines.
block() {
    awk -v mark="<!-- tests/install: $1 -->" '
        $0 == mark { here = 1; next }
        here == 1 && /^```/ { here = 2; next }
        here == 2 && /^```/ { exit }
        here == 2' "$source/README.md" "$source/docs/install.md" >"$home/block"
    [ -s "$home/block" ] || fail "there is no block $1"
    cat "$home/block"
}

# commands NAME...: how many commands these blocks are.
commands() {
    local name
    for name in "$@"; do
        block "$name"
    done | grep -cv '\\$'
}

# follow NAME [EXPRESSION]: types these lines, changed by sed, into a new shell,
# in the current folder.
follow() {
    local lines
    lines=$(block "$1" | sed -e "${2:-}")
    printf '\n== %s\n' "$1"
    HOME=$home bash -euxc "$lines" >"$home/output" 2>&1 || {
        cat "$home/output"
        fail "the lines of '$1' failed"
    }
    cat "$home/output"
}

# says TEXT: the program that was run last has said so.
says() {
    grep -xF "$1" "$home/output" >/dev/null || fail "where is '$1'?"
}

# consumer FOLDER SOURCE NAME: makes that folder, with that program, and goes
# there.
consumer() {
    mkdir "$home/$1"
    cp "$source/$2" "$home/$1/$3"
    cd "$home/$1"
}

# at_most_five NAME...
at_most_five() {
    local count
    count=$(commands "$@")
    [ "$count" -le 5 ] || fail "$* are $count commands"
}

# The same lines for C++.
in_cxx='s/^cc hello.c/c++ -std=c++17 hello.cpp/;s/hello C)/hello CXX)/;s/ hello.c)/ hello.cpp)/'

unset PKG_CONFIG_PATH LD_LIBRARY_PATH CMAKE_PREFIX_PATH DESTDIR
export CMAKE_GENERATOR=$generator CC=$cc ${cxx:+CXX="$cxx"}
mkdir "$home/bin" "$home/libcfutures"
ln -s "$(command -v "$cc")" "$home/bin/cc"
[ -z "$cxx" ] || ln -s "$(command -v "$cxx")" "$home/bin/c++"
PATH=$home/bin:$PATH
# As it is cloned, or unpacked.
tar -C "$source" --exclude=./.git --exclude='./build*' -c . |
    tar -C "$home/libcfutures" -x

cd "$home/libcfutures"
follow install

if command -v python3 >/dev/null; then
    [ -s "$home/.local/share/man/man3/cf_submit.3" ] ||
        fail "the manual is not installed"
fi

if command -v pkg-config >/dev/null; then
    for way in shared static; do
        at_most_five install $way
        consumer $way samples/hello.c hello.c
        follow $way
        says '4 squared is 16'
    done
    if [ -n "$cxx" ]; then
        at_most_five install 'shared C++'
        consumer cxx samples/hello.cpp hello.cpp
        follow 'shared C++'
        says '4 squared is 16'
        consumer static_cxx samples/hello.cpp hello.cpp
        follow static "$in_cxx"
        says '4 squared is 16'
    fi
fi

at_most_five install cmake
consumer cmake samples/hello.c hello.c
block CMakeLists.txt >CMakeLists.txt
follow cmake
says '4 squared is 16'
if [ -n "$cxx" ]; then
    consumer cmake_cxx tests/install/consumer/consumer.cpp hello.cpp
    block CMakeLists.txt | sed -e "$in_cxx" >CMakeLists.txt
    follow cmake
    says '6 * 7 = 42'
fi

# What is not linked is not built, and nothing of the tests.
at_most_five subproject
for way in subfolder fetched; do
    consumer $way samples/hello.c hello.c
    mv "$home/libcfutures" .
    rm -rf libcfutures/build
    block "CMakeLists.txt, $way" >CMakeLists.txt
    follow subproject
    says '4 squared is 16'
    ! find build -path '*-src' -prune -o \( -name '*.a' \
        -o -name 'libcfutures_*' -o -name 'bench*' -o -name 'unit_*' \) -print |
        grep . || fail "these were not asked for"
    if [ -n "$cxx" ]; then
        cp "$source/tests/install/consumer/consumer.cpp" hello.cpp
        sed -i -e "$in_cxx" CMakeLists.txt
        rm -r build
        follow subproject
        says '6 * 7 = 42'
    fi
    mv libcfutures "$home"
done

# Stands in for sudo: unpacks what apt-get would install.
cat >"$home/bin/sudo" <<SCRIPT
#!/bin/sh -eu
[ "\$1 \$2" = "apt-get install" ]
shift 2
for package; do
    dpkg-deb -x "\$package" "$home/root"
done
SCRIPT
chmod +x "$home/bin/sudo"
if command -v dpkg-shlibdeps >/dev/null && command -v pkg-config >/dev/null; then
    at_most_five debian 'from packages'
    cd "$home/libcfutures"
    rm -rf build
    follow debian
    # Where pkg-config and the loader look in a system.
    PKG_CONFIG_PATH=$(dirname "$(find "$home/root" -name cfutures.pc)")
    LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
    export PKG_CONFIG_PATH LD_LIBRARY_PATH
    consumer debian samples/hello.c hello.c
    follow 'from packages'
    says '4 squared is 16'
    if [ -n "$cxx" ]; then
        consumer debian_cxx tests/install/consumer/consumer.cpp hello.cpp
        follow 'from packages' "$in_cxx"
        says '6 * 7 = 42'
    fi
fi
