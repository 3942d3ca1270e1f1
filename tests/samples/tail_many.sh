#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: tail_many.sh FOLDER
# Lines of ten files come with the names of their files, in each file's order;
# added ones too; a file that is not there is named; Ctrl-C ends it.
set -eu
bin=$1
program=$bin/tail_many
work=$(mktemp -d)
. "$(dirname "$0")/common.sh"
pid=
trap 'test -z "$pid" || kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"

files=
for i in 0 1 2 3 4 5 6 7 8 9; do
    seq 20 >"file$i"
    files="$files file$i"
done
printf 'no end' >>file3
"$program" --once --lines 3 $files >out
test "$(wc -l <out)" -eq 30
for i in 0 1 2 4 9; do
    test "$(grep "^file$i: " out | tr '\n' ' ')" = \
        "file$i: 18 file$i: 19 file$i: 20 "
done
test "$(grep '^file3: ' out | tail -n 1)" = 'file3: no end'

env --default-signal=INT "$program" --lines 0 $files >out &
pid=$!
# tail may look at a file before or after a line is added: add until it comes.
for i in 2 7; do
    until grep -q "^file$i: new" out; do
        echo new >>"file$i"
        sleep 0.02
    done
done
kill -INT $pid
wait $pid
pid=
! grep -v '^file[27]: new$' out

status=0
"$program" --once file1 no.such.file file2 >out 2>err || status=$?
test $status -eq 1
test "$(wc -l <out)" -eq 20
grep -qx 'tail_many: no.such.file: tail failed' err

wrong tail_many 'tail_many: give a file'
wrong tail_many 'tail_many: --lines x: not 0 to 999999' --lines x file1
wrong tail_many 'tail_many: --lines 1000000: not 0 to 999999' --lines 1000000 file1
"$program" --help | grep -q '^Usage: tail_many '
