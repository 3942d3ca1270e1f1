#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: BATCH=FILE factorial_batch.sh FACTORIAL CHECKER
# The whole batch that comes with the sample, in threads and in processes,
# checked number by number.
set -eu
factorial=$1
checker=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for executor in threads processes; do
    "$factorial" --executor $executor --order completed --print checksum \
        --file "$BATCH" >"$work/out" 2>"$work/err"
    cat "$work/err"
    numbers=$(sed -n 's/^tasks  *\([0-9]*\) numbers.*/\1/p' "$work/err")
    total=$(sed -n 's/^checksum  *//p' "$work/err")
    test "$numbers" -gt 2000
    "$checker" checksum "$numbers" "$total" <"$work/out"
done
