#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: pgzip.sh PGZIP SPEC...
# gunzip gives back what went in, on every executor; sizes are gzip's, but for 1
# percent; what cannot be compressed is named; Ctrl-C leaves nothing behind.
set -eu
pgzip=$1
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
        "$pgzip" -e "$spec" <$file >out.gz
        gzip -t out.gz
        gunzip -c out.gz | cmp - $file
    done
    "$pgzip" -e "$spec" -f $inputs
    for file in $inputs; do
        gunzip -c $file.gz | cmp - $file
        test "$(stat -c %Y,%a $file.gz)" = "$(stat -c %Y,%a $file)"
    done
done
for level in 1 6 9; do
    ours=$("$pgzip" -c -$level text | wc -c)
    theirs=$(gzip -c -$level text | wc -c)
    test $((ours * 100)) -le $((theirs * 101))
done
test "$(gzip -lN text.gz | awk 'END { print $NF }')" = text

# A slow input, from a pipe.
(cat one; sleep 0.1; cat text) | "$pgzip" | gunzip -c | tail -c +2 | cmp - text

# refused MESSAGE ARGUMENT...: the rest is done, the exit status is 1.
refused() {
    message=$1 status=0
    shift
    rm -f one.gz
    "$pgzip" "$@" one 2>err || status=$?
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
"$pgzip" -e bogus one 2>err || status=$?
test $status -eq 2
grep -q "'bogus' is none of: inline" err
"$pgzip" --bogus 2>err || status=$?
test $status -eq 2
"$pgzip" --help | grep -q '^usage: pgzip '
if test -c /dev/full; then
    status=0
    "$pgzip" <noise >/dev/full 2>err || status=$?
    test $status -eq 1
    grep -q '^pgzip: standard output: ' err
fi

# Ctrl-C while it reads from a pipe that stays open. The pipe holds less than
# what was written when "fed" is there.
for spec in "$@"; do
    rm -f fed
    mkfifo pipe
    (
        exec 3>pipe
        cat noise >&3
        : >fed
        exec sleep 100
    ) &
    feeder=$!
    env --default-signal=INT "$pgzip" -e "$spec" <pipe >out.gz &
    pid=$!
    until test -e fed; do
        kill -0 $pid
        sleep 0.01
    done
    kill -INT $pid
    status=0
    wait $pid || status=$?
    test $status -eq 130
    kill $feeder
    rm pipe
done
test -z "$(ls | grep '\.gz\.' || true)"
