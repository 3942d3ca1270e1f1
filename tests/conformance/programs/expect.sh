#!/bin/sh
# SPDX-License-Identifier: MIT
# expect.sh STATUS OUTPUT PROGRAM ARGUMENT...: the program ends with that status
# after having printed exactly that line.
expected_status=$1
expected=$2
shift 2
output=$("$@")
status=$?
if [ "$status" -ne "$expected_status" ] || [ "$output" != "$expected" ]; then
    echo "$*: status $status, not $expected_status;" \
        "it printed: $output; expected: $expected"
    exit 1
fi
