#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: pgzip.sh PGZIP SPEC...
# gunzip gives back what went in, on every executor; sizes are gzip's, but for 1
# percent; what cannot be compressed is named; Ctrl-C leaves nothing behind.
set -eu
. "$(dirname "$0")/command.sh"
program=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

awk 'BEGIN { for (i = 0; i < 60000; i++) print i, i * i % 7919, "line", i % 13 }' \
    >text
head -c 300000 /dev/urandom >noise
head -c 1000000 /dev/zero >zeros
head -c 131072 text >block
: >empty
printf x >one
inputs='text noise zeros block empty one'

for spec in "$@"; do
    for file in $inputs; do
        "$program" -e "$spec" <$file >out.gz
        gzip -t out.gz
        gunzip -c out.gz | cmp - $file
    done
    "$program" -e "$spec" -f $inputs
    for file in $inputs; do
        gunzip -c $file.gz | cmp - $file
        test "$(stat -c %Y,%a $file.gz)" = "$(stat -c %Y,%a $file)"
    done
done
for level in 1 6 9; do
    ours=$("$program" -c -$level text | wc -c)
    theirs=$(gzip -c -$level text | wc -c)
    test $((ours * 100)) -le $((theirs * 101))
done
test "$(gzip -lN text.gz | awk 'END { print $NF }')" = text

# A slow input, from a pipe.
(cat one; sleep 0.1; cat text) | "$program" | gunzip -c | tail -c +2 | cmp - text

# refused MESSAGE ARGUMENT...: the rest is done, the exit status is 1.
refused() {
    message=$1 status=0
    shift
    rm -f one.gz
    "$program" "$@" one 2>err || status=$?
    test $status -eq 1
    test "$(cat err)" = "pgzip: $message"
    gunzip -c one.gz | cmp - one
}
refused 'text.gz: is compressed already, by its name' text.gz
refused 'text.gz: is there already' text
refused 'none: No such file or directory' none
mkdir folder
refused 'folder: is no regular file' folder
status=0
"$program" -e bogus one 2>err || status=$?
test $status -eq 2
grep -q "'bogus' is none of: inline" err
"$program" --bogus 2>err || status=$?
test $status -eq 2
"$program" --help | grep -q '^usage: pgzip '
fills <noise

# Ctrl-C while it reads from a pipe that stays open. The pipe holds less than
# what was written when "fed" is there.
for spec in "$@"; do
    feed noise
    env --default-signal=INT "$program" -e "$spec" <pipe >out.gz &
    interrupt $! 'test -e fed'
    stop_feeding
done
test -z "$(ls | grep '\.gz\.' || true)"
