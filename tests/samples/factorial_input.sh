#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: factorial_input.sh FACTORIAL CHECKER
# Numbers come from arguments, files and standard input; bad input is named and
# the rest is computed.
set -eu
factorial=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# expect STATUS ARGUMENT...: runs it; leaves the numbers printed in "numbers",
# in one line, and the messages about input in "messages".
expect() {
    wanted=$1
    shift
    status=0
    "$factorial" --print digits "$@" >out 2>err || status=$?
    if test $status -ne "$wanted"; then
        echo "status $status, not $wanted: $*"
        cat err
        exit 1
    fi
    cut -d' ' -f1 out | paste -s -d' ' - >numbers
    sed '/^tasks /,$d' err >messages
}
# same FILE TEXT: FILE holds TEXT and nothing else.
same() {
    printf '%s\n' "$2" | diff -u - "$1"
}

printf '5 6\t7\r\n# nothing here 99\n\n  8-10 # 11\n0\n000012' >good
good='5 6 7 8 9 10 0 12'

expect 0 5 10-12 '3 4' 0
same numbers '5 10 11 12 3 4 0'
expect 0 --file good
same numbers "$good"
expect 0 -fgood 3 --file=good
same numbers "$good 3 $good"
expect 0 good 1
same numbers "$good 1"
expect 0 <good
same numbers "$good"
expect 0 1 - 2 <good
same numbers "1 $good 2"
expect 0 </dev/null
same numbers ''
echo 44 >./7 # a file called as a number does not stand in for it
expect 0 7
same numbers 7
expect 0 ./7
same numbers 44

not='not an integer from 0 to 10000000'
expect 1 abc 5
same numbers 5
same messages "arguments:1: 'abc': $not"
expect 1 -5 1.5 10000001 99999999999999999999 3- +3 0x10 1-2-3 6
same numbers 6
for word in -5 1.5 10000001 99999999999999999999 3- +3 0x10 1-2-3; do
    printf '%s\n' "arguments:1: '$word': $not"
done | diff -u - messages
expect 1 9-3 4
same numbers 4
same messages "arguments:1: '9-3': the range runs backwards"

printf '1 2\n3 x4 5 # y\nz\n6\n' >bad
expect 1 --file bad
same numbers '1 2 3 5 6'
printf '%s\n' "bad:2: 'x4': $not" "bad:3: 'z': $not" | diff -u - messages
expect 1 - <bad
same numbers '1 2 3 5 6'
printf '%s\n' "stdin:2: 'x4': $not" "stdin:3: 'z': $not" | diff -u - messages
expect 1 --file "$work/none" 5
same numbers 5
same messages "factorial: $work/none: No such file or directory"
expect 1 --file . 5
same messages "factorial: .: Is a directory"

# Nothing in a file can steer the terminal.
printf '\033[31mred\n1\0002\n' | expect 1 -
printf '%s\n' "stdin:1: '?[31mred': $not" "stdin:2: '1?2': $not" |
    diff -u - messages
