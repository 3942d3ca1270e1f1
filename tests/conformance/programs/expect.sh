#!/bin/sh
# SPDX-License-Identifier: MIT
# expect.sh PROGRAM STATUS OUTPUT: the program ends with that status after
# having printed exactly that line.
output=$("$1")
status=$?
if [ "$status" -ne "$2" ] || [ "$output" != "$3" ]; then
    echo "$1: status $status, not $2; it printed: $output; expected: $3"
    exit 1
fi
