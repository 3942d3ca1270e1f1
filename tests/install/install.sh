#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds and runs the consumers in consumer/ against the product:
# install.sh find_package|pkg_config|subproject SOURCE BUILD CMAKE GENERATOR CC
#            [CXX]
set -euo pipefail

way=$1 source=$2 build=$3 cmake=$4 generator=$5 cc=$6 cxx=${7:-}
consumer=$source/tests/install/consumer
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# run PROGRAM: it must answer, and with the right answer.
run() {
    local answer
    answer=$("$@")
    printf '%s: %s\n' "$(basename "$1")" "$answer"
    [ "$answer" = "6 * 7 = 42" ]
}

# Installs, moves the tree, and removes every trace of where it was.
install_and_move() {
    "$cmake" --install "$build" --prefix "$scratch/first" >/dev/null
    mv "$scratch/first" "$scratch/prefix"
    local text
    text=$(find "$scratch/prefix" -name '*.cmake' -o -name '*.pc')
    # shellcheck disable=SC2086 # no blanks in these names
    if grep -nF -e "$source" -e "$build" -e "$scratch" $text; then
        echo "install: an installed file knows where it was made" >&2
        exit 1
    fi
}

# build_with_cmake ARG...: every consumer, by its own CMakeLists.txt.
build_with_cmake() {
    "$cmake" -S "$consumer" -B "$scratch/build" -G "$generator" \
        -DCMAKE_C_COMPILER="$cc" ${cxx:+-DCMAKE_CXX_COMPILER="$cxx"} \
        -DCONSUMER_CXX="${cxx:+ON}" "$@"
    "$cmake" --build "$scratch/build"
    run "$scratch/build/c_shared"
    run "$scratch/build/c_static"
    [ -z "$cxx" ] || run "$scratch/build/cxx_shared"
}

case $way in
find_package)
    install_and_move
    build_with_cmake -DCMAKE_PREFIX_PATH="$scratch/prefix"
    ;;
pkg_config)
    command -v pkg-config >/dev/null || {
        echo "install: pkg-config is not installed"
        exit 77
    }
    install_and_move
    PKG_CONFIG_PATH=$(dirname "$(find "$scratch/prefix" -name cfutures.pc)")
    LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
    export PKG_CONFIG_PATH LD_LIBRARY_PATH
    cd "$scratch"
    # shellcheck disable=SC2046 # flags are several words
    {
        "$cc" "$consumer/consumer.c" -o c_shared \
            $(pkg-config --cflags --libs cfutures)
        "$cc" "$consumer/consumer.c" -o c_static -static \
            $(pkg-config --cflags --libs --static cfutures)
        [ -z "$cxx" ] || "$cxx" "$consumer/consumer.cpp" -o cxx_shared \
            $(pkg-config --cflags --libs cfutures)
    }
    run ./c_shared
    [ -z "$cxx" ] || run ./cxx_shared
    unset LD_LIBRARY_PATH
    run ./c_static
    if ! readelf -d c_shared |
        grep 'NEEDED.*\[libcfutures\.so\.' >/dev/null; then
        echo "install: c_shared is not linked to the shared library" >&2
        exit 1
    fi
    ;;
subproject)
    build_with_cmake -DCONSUMER_SUBPROJECT="$source"
    if [ -e "$scratch/build/cfutures/tests" ]; then
        echo "install: a subproject builds its own tests" >&2
        exit 1
    fi
    ;;
*)
    echo "install: what is '$way'?" >&2
    exit 2
    ;;
esac
