#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# clang-tidy 14 has nothing to say about the library: tidy.sh BUILD FOLDER...
. "$(dirname "$0")/common.sh"

build=$1
shift
for tool in clang-tidy-14 clang-tidy; do
    if command -v "$tool" >/dev/null &&
        "$tool" --version | grep 'version 14\.' >/dev/null; then
        built=$(sed -n 's|^ *"file": "'"$PWD"'/\(.*\)",\{0,1\}$|\1|p' \
            "$build/compile_commands.json")
        for folder in "$@"; do
            # The summary of what was suppressed goes to standard error.
            files c | grep "^$folder/" | grep -xF "$built" |
                xargs -n 4 -P "$(nproc)" \
                    "$tool" --quiet -p "$build" 2>/dev/null ||
                complain "see above, in $folder"
        done
        finish
        exit 0
    fi
done
echo "tidy: clang-tidy 14 is not installed"
exit 77
