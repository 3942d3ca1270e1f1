#!/bin/sh
# SPDX-License-Identifier: MIT
# Valgrind finds nothing in a program with an event loop, whose stacks it knows:
# loop_valgrind.sh COMPILER PROGRAM ARGUMENT...
set -eu
compiler=$1
shift
if ! command -v valgrind >/dev/null ||
    ! echo '#include <valgrind/valgrind.h>' |
    "$compiler" -E - >/dev/null 2>&1; then
    echo "loop_valgrind.sh: valgrind, or its header, is not installed"
    exit 77
fi
err=$(mktemp)
trap 'rm -f "$err"' EXIT
status=0
valgrind -q --error-exitcode=9 --leak-check=full "$@" 2>"$err" || status=$?
cat "$err" >&2
if grep -q 'debuginfo reader: ' "$err"; then
    echo "loop_valgrind.sh: valgrind does not know this debug information"
    exit 77
fi
exit $status
