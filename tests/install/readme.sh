#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Does what README.md says under "Install and link", line by line, in a home of
# its own: readme.sh SOURCE GENERATOR CC [CXX]. debian.sh has its packages.
set -euo pipefail

source=$1 generator=$2 cc=$3 cxx=${4:-}
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT

# shellcheck source=tests/install/common.sh
. "$source/tests/install/common.sh"
# shellcheck source=tests/install/lines.sh
. "$source/tests/install/lines.sh"

# consumer FOLDER SOURCE NAME: makes that folder, with that program, and goes
# there.
consumer() {
    mkdir "$home/$1"
    cp "$source/$2" "$home/$1/$3"
    cd "$home/$1"
}

unset PKG_CONFIG_PATH LD_LIBRARY_PATH CMAKE_PREFIX_PATH DESTDIR
export CMAKE_GENERATOR=$generator CC=$cc ${cxx:+CXX="$cxx"}
command -v pkg-config >/dev/null || skip "pkg-config is not installed"
[ -n "$cxx" ] || echo "readme: there is no C++ compiler: only C is tried"
mkdir "$home/bin"
ln -s "$(command -v "$cc")" "$home/bin/cc"
[ -z "$cxx" ] || ln -s "$(command -v "$cxx")" "$home/bin/c++"
PATH=$home/bin:$PATH
# The library is built for C, and then the same for C++: compile it once.
if [ -z "${CMAKE_C_COMPILER_LAUNCHER:-}" ] && command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache CCACHE_DIR=$home/ccache
fi
clone "$home"

cd "$home/libcfutures"
follow install

if command -v python3 >/dev/null; then
    [ -s "$home/.local/share/man/man3/cf_submit.3" ] ||
        fail "the manual is not installed"
fi

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
