#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: factorial_usage.sh FACTORIAL CHECKER
# The command line, the exit statuses, and output that cannot be written.
set -eu
factorial=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# wrong MESSAGE ARGUMENT...: exit status 2, MESSAGE first, nothing printed.
wrong() {
    message=$1
    shift
    status=0
    "$factorial" "$@" >out 2>err </dev/null || status=$?
    test $status -eq 2
    test ! -s out
    head -n 1 err | grep -qxF "factorial: $message"
}

specs='inline, threads[:N], processes[:N]'
for spec in bogus threads: threads:0 threads:-1 processes:2x INLINE; do
    wrong "--executor: '$spec' is none of: $specs" \
        --executor $spec 5
done
wrong "--order: 'random': not submitted or completed" --order random 5
wrong "--print: 'hex': not value, digits or checksum" --print=hex 5
wrong '--print: needs a value' 5 --print
wrong '--bogus: no such option' --bogus 5
wrong '-x: no such option' -x

"$factorial" --help | grep -q '^usage: factorial '
"$factorial" -h >/dev/null

"$factorial" -e inline -p checksum -o completed 5 2>/dev/null | grep -qx \
    '5 af63f54c86021707'
test "$("$factorial" 25 2>/dev/null)" = '25 15511210043330985984000000'
echo 5 >./-5 # after --, still a number
status=0
"$factorial" -- -5 >out 2>err || status=$?
test $status -eq 1
grep -q "^arguments:1: '-5': not an integer" err

if test -c /dev/full; then
    for executor in inline threads:2 processes:2; do
        status=0
        "$factorial" -e $executor 5 0-3000 50000 >/dev/full 2>err || status=$?
        test $status -eq 1
        grep -q '^factorial: standard output: No space left' err
    done
fi

# The reader of the output may stop early.
for executor in threads processes; do
    test "$("$factorial" -e $executor 0-3000 2>/dev/null | head -n 1)" = '0 1'
done
