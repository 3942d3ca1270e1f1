#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: wordcount.sh WORDCOUNT ON|OFF
# Counts are those of sort | uniq -c, on every executor (ON: with processes) and
# wherever the pieces end; bad files and a bad command line are answered.
set -eu
wordcount=$1 processes=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C

# Words of many lengths, all blanks, bytes that are no text, no last newline.
awk 'BEGIN {
    for (i = 0; i < 20000; i++) {
        word = sprintf("w%d", (i * i) % 997)
        printf "%s%s", word, substr(" \t\n\v\f\r", i % 6 + 1, 1 + i % 2)
    }
}' >many
printf 'one  two\ntwo\000byte \377 three' >odd
head -c 5000 /dev/zero | tr '\0' x >long
: >empty
printf ' \n\t ' >blank

# expected FILE...: what the tools say; a word does not go over two files.
expected() {
    for file in "$@"; do
        cat "$file"
        echo
    done | tr -s '[:space:]' '\n' | sed '/^$/d' | sort | uniq -c
}

specs='threads:2 threads:1 inline'
[ "$processes" = OFF ] || specs="$specs processes:2"
expected many odd long empty blank >all
for spec in $specs; do
    for piece in 1000 64 1048576; do
        "$wordcount" -e $spec --piece $piece many odd long empty blank |
            cmp - all
    done
done
expected odd >one
"$wordcount" --piece 1 odd | cmp - one
expected many >one
"$wordcount" <many | cmp - one
"$wordcount" -e threads:2 - <many | cmp - one
test -z "$("$wordcount" empty)"
sort -k1,1nr -k2 one | head -n 7 >top
"$wordcount" --top 7 many | cmp - top

# Bad files are named, and the others are counted.
status=0
"$wordcount" many . missing odd >out 2>err || status=$?
test $status -eq 1
expected many odd | cmp - out
grep -qx 'wordcount: missing: No such file or directory' err
grep -qx 'wordcount: .: Is a directory' err
test "$(wc -l <err)" -eq 2

# wrong MESSAGE ARGUMENT...
wrong() {
    message=$1 status=0
    shift
    "$wordcount" "$@" >out 2>err </dev/null || status=$?
    test $status -eq 2
    test ! -s out
    head -n 1 err | grep -qF -- "$message"
}
wrong "'thread:4' is none of inline, threads[:N]" --executor thread:4
wrong "--top: '-1' is no number above 0" --top -1
wrong "--piece: '5x' is no number above 0" --piece 5x
wrong "unrecognized option '--bogus'" --bogus
"$wordcount" --help | grep -q '^Usage: wordcount'
status=0
"$wordcount" many >/dev/full 2>err || status=$?
test $status -eq 1
grep -q '^wordcount: standard output' err
