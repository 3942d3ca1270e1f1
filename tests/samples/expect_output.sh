#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: expect_output.sh PROGRAM EXPECTED
# Fails unless PROGRAM succeeds, says nothing on standard error and prints the
# lines of EXPECTED; in another order if EXPECTED is called as_completed.
set -eu
program=$1
expected=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$program" >"$work/out" 2>"$work/err"
case $expected in
*/as_completed.txt) LC_ALL=C sort -o "$work/out" "$work/out" ;;
esac
diff -u "$expected" "$work/out"
diff -u /dev/null "$work/err"
