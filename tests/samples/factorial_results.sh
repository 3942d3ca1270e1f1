#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: factorial_results.sh FACTORIAL CHECKER
# Every executor, order and way to print gives the results of GMP.
set -eu
factorial=$1
checker=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Around each size at which the work is split, and the largest before all the
# small ones, so that the order of completion is another than that of the input.
numbers='100003 40001 20001 20000 19999 60000-60002 0-300 300-200x 7 7'
sorted() {
    LC_ALL=C sort -n "$1"
}

for executor in inline threads threads:1 threads:2 threads:7 \
    processes processes:1 processes:3; do
    for order in submitted completed; do
        for print in value digits checksum; do
            echo "$executor $order $print"
            status=0
            # shellcheck disable=SC2086
            "$factorial" -e $executor --order=$order --print $print $numbers \
                >"$work/out" 2>"$work/err" || status=$?
            test $status -eq 1 # for 300-200x
            total=$(sed -n 's/^checksum  *//p' "$work/err")
            "$checker" $print 311 "$total" <"$work/out"
            grep -q '^tasks  *311 numbers' "$work/err"
            grep -q '^failures  *0 of tasks, 1 of input$' "$work/err"
            grep -q '^speed-up  *[0-9.]* (' "$work/err"
            sorted "$work/out" >"$work/sorted"
            if test -e "$work/$print"; then
                cmp "$work/$print" "$work/sorted"
            fi
            mv "$work/sorted" "$work/$print"
            if test $order = submitted; then
                cut -d' ' -f1 "$work/out" >"$work/order"
                {
                    printf '%s\n' 100003 40001 20001 20000 19999
                    seq 60000 60002
                    seq 0 300
                    printf '%s\n' 7 7
                } | cmp - "$work/order"
            fi
        done
    done
done
