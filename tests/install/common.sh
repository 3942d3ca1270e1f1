# SPDX-License-Identifier: MIT
# Sourced by the tests here, which have set source, the source tree.
# shellcheck shell=bash
# shellcheck disable=SC2154 # source

name=$(basename "$0" .sh)

fail() {
    echo "$name: $*" >&2
    exit 1
}

# skip SENTENCE: what cannot be tested here, and why.
skip() {
    echo "$name: skipped: $*"
    exit 77
}

# clone FOLDER: a copy of the source tree in it, libcfutures, as it is cloned or
# unpacked.
clone() {
    mkdir -p "$1/libcfutures"
    tar -C "$source" --exclude=./.git --exclude='./build*' -c . |
        tar -C "$1/libcfutures" -x
}
