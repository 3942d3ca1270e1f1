#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: mandelbrot.sh MANDELBROT SPEC...
# Every executor writes the same bytes, which awk computes once more by itself.
# Bad input is named, and after Ctrl-C there is no file.
set -eu
. "$(dirname "$0")/command.sh"
program=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

for spec in "$@"; do
    "$program" -e "$spec" -s 150x70 -i 99 -o "$spec.ppm"
    cmp "$spec.ppm" "$1.ppm"
    "$program" -e "$spec" -s 90x70 -c -0.75,0.1 -i 60 -g >"$spec.pgm"
    cmp "$spec.pgm" "$1.pgm"
done
test "$(head -c 14 "$1.ppm")" = "$(printf 'P6\n150 70\n255\n')"
test "$(wc -c <"$1.ppm")" -eq $((14 + 3 * 150 * 70))
test "$(ls | wc -l)" -eq $((2 * $#))

# An independent look. Where arithmetic is fused, a few pixels differ.
tail -c $((90 * 70)) "$1.pgm" | od -An -v -tu1 -w90 | awk '
    {
        for (column = 1; column <= NF; column++) {
            x = -0.75 + 3 / 90 * (column - 1 - 89 / 2)
            y = 0.1 - 3 / 90 * (NR - 1 - 69 / 2)
            re = im = n = 0
            while (n < 60 && re * re + im * im <= 4) {
                next_re = re * re - im * im + x
                im = 2 * re * im + y
                re = next_re
                n++
            }
            wrong += $column != (n == 60 ? 0 : n)
            inside += n == 60
        }
    }
    END {
        print NR " rows, " inside " pixels inside, " wrong " differ"
        exit !(NR == 70 && inside > 500 && wrong <= 63)
    }'

for size in 0x5 5 5x 5x5x5 99999x1 x; do
    wrong "--size: '$size'" --size $size
done
wrong "--center: '1'" -c 1
wrong "--span: '0'" -w 0
wrong "--span: 'nan'" -w nan
wrong '--iterations 0: not 1 to' -i 0
wrong "'bogus' is none of: inline" -e bogus
wrong "argument: 'x': there are none" x
wrong 'bogus' --bogus
"$program" --help | grep -q '^usage: mandelbrot '

status=0
"$program" -s 9x9 -o no/such/file 2>err || status=$?
test $status -eq 1
grep -q '^mandelbrot: no/such/file: No such file' err
fills -s 300x300

# Ctrl-C, when it is at work: its file has a temporary name by then.
for spec in "$@"; do
    env --default-signal=INT "$program" -e "$spec" -s 32768x32768 \
        -c 0,0 -w 0.1 -i 20000 -o stopped.pgm &
    interrupt $! 'ls stopped.pgm.*'
    test -z "$(ls | grep stopped || true)"
done
