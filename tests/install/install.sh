#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds and runs the consumers in consumer/ against the product:
# install.sh find_package|pkg_config|subproject SOURCE BUILD CMAKE
#            GENERATOR ON|OFF ON|OFF CC [CXX]
# ON: with the event loop; with libcurl.
set -euo pipefail

way=$1 source=$2 build=$3 cmake=$4 generator=$5 loop=$6 curl=$7
cc=$8 cxx=${9:-}
consumer=$source/tests/install/consumer
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# shellcheck source=tests/install/common.sh
. "$source/tests/install/common.sh"
# shellcheck source=tests/install/consumers.sh
. "$source/tests/install/consumers.sh"

# Installs, moves the tree, and removes every trace of where it was.
install_and_move() {
    "$cmake" --install "$build" --prefix "$scratch/first" >/dev/null
    mv "$scratch/first" "$scratch/prefix"
    local text
    text=$(find "$scratch/prefix" -name '*.cmake' -o -name '*.pc')
    # shellcheck disable=SC2086 # no blanks in these names
    if grep -nF -e "$source" -e "$build" -e "$scratch" $text; then
        fail "an installed file knows where it was made"
    fi
    if [ "$loop" = OFF ] && find "$scratch/prefix" | grep _loop; then
        fail "something of the loop is installed"
    fi
    if [ "$curl" = OFF ] && find "$scratch/prefix" | grep curl; then
        fail "something of libcurl is installed"
    fi
}

# build_with_cmake ARG...: every consumer, by its own CMakeLists.txt, in project/.
build_with_cmake() {
    cp -r "$consumer/." "$scratch/project"
    "$cmake" -S "$scratch/project" -B "$scratch/project/build" -G "$generator" \
        -DCMAKE_C_COMPILER="$cc" ${cxx:+-DCMAKE_CXX_COMPILER="$cxx"} \
        -DCONSUMER_CXX="${cxx:+ON}" -DCONSUMER_LOOP="$loop" \
        -DCONSUMER_CURL="$curl" "$@"
    "$cmake" --build "$scratch/project/build"
    run_all "$scratch/project/build"
}

# components WORDS [ARG...]: what find_package(cfutures 0.1 WORDS) complains of, a
# list, when CMake has these arguments.
components() {
    mkdir -p "$scratch/components"
    cat >"$scratch/components/CMakeLists.txt" <<'TEXT'
cmake_minimum_required(VERSION 3.20)
project(components LANGUAGES C)
find_package(cfutures 0.1 ${WORDS})
TEXT
    rm -rf "$scratch/components/build"
    "$cmake" -S "$scratch/components" -B "$scratch/components/build" \
        -G "$generator" -DCMAKE_C_COMPILER="$cc" "-DWORDS=$1" \
        -DCMAKE_PREFIX_PATH="$scratch/prefix" "${@:2}" 2>&1 >"$scratch/said" ||
        true
}

# says TEXT WORDS [ARG...]: it fails, and says that.
says() {
    local said
    said=$(components "${@:2}" | tr -s ' \n' ' ')
    [[ $said == *"$1"* ]] || fail "find_package(${*:2}) does not say '$1': $said"
}

# finds WORDS [ARG...]: it has no complaint.
finds() {
    local said
    said=$(components "$@")
    [ -z "$said" ] || fail "find_package($*): $said"
}

# Components that are not there, or not what they need.
find_components() {
    says "without a component 'lop'" 'REQUIRED;COMPONENTS;lop'
    finds 'REQUIRED;OPTIONAL_COMPONENTS;lop'
    if [ "$loop" = OFF ]; then
        says "without a component 'loop'" 'REQUIRED;COMPONENTS;loop'
    else
        says 'there is: ' 'REQUIRED;COMPONENTS;lop'
        # What only the archive needs may be missing.
        finds 'REQUIRED;COMPONENTS;loop' \
            -DCMAKE_DISABLE_FIND_PACKAGE_Libuv=ON
    fi
    if [ "$curl" = ON ]; then
        finds 'REQUIRED;COMPONENTS;loop;curl'
        says 'libcurl4-openssl-dev' 'REQUIRED;COMPONENTS;loop;curl' \
            -DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON
        finds 'REQUIRED;COMPONENTS;loop;OPTIONAL_COMPONENTS;curl' \
            -DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON
    fi
}

case $way in
find_package)
    install_and_move
    build_with_cmake -DCMAKE_PREFIX_PATH="$scratch/prefix"
    find_components
    ;;
pkg_config)
    command -v pkg-config >/dev/null || skip "pkg-config is not installed"
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
        [ -z "$cxx" ] || "$cxx" -std=c++17 "$consumer/values.cpp" \
            -o hpp_shared $(pkg-config --cflags --libs cfutures)
        "$cc" "$consumer/open_loop.c" -o open_without \
            $(pkg-config --cflags --libs cfutures)
        [ "$loop" = OFF ] || "$cc" "$consumer/open_loop.c" -o open_shared \
            $(pkg-config --cflags --libs cfutures-loop)
        [ "$curl" = OFF ] || "$cc" "$consumer/fetch.c" -o fetch_shared \
            $(pkg-config --cflags --libs cfutures-curl)
    }
    run_shared .
    unset LD_LIBRARY_PATH
    run ./c_static
    ;;
subproject)
    # Where the README has it: ccache knows it from install_readme.
    clone "$scratch/project"
    build_with_cmake -DCONSUMER_SUBPROJECT="$scratch/project/libcfutures" \
        -DCF_EVENT_LOOP="$loop" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
    build=$scratch/project/build
    [ ! -e "$build/cfutures/tests" ] ||
        fail "a subproject builds its own tests"
    if grep '"command".* -c .*/lib/base/' "$build/compile_commands.json" |
        grep -v -e ' -O2 '; then
        fail "a subproject is not optimised"
    fi
    "$cmake" --install "$build" --prefix "$scratch/prefix"
    if find "$scratch/prefix" -type f | grep .; then
        fail "a subproject is installed with the project around it"
    fi
    ;;
*)
    echo "install: what is '$way'?" >&2
    exit 2
    ;;
esac
