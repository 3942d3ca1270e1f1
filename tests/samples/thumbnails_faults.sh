#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: thumbnails_faults.sh FAULTY_THUMBNAILS PICTURES
# In worker processes a decoder that crashes, exits, hangs or takes all memory
# costs one line of the report: every other thumbnail is there.
set -eu
thumbnails=$1 pictures=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Signals and refused memory are the pool's, as without a sanitizer.
for name in ASAN UBSAN; do
    eval "export ${name}_OPTIONS=\${${name}_OPTIONS-}:handle_segv=0"
done
export ASAN_OPTIONS="$ASAN_OPTIONS:allocator_may_return_null=1"

mkdir tree
i=0
while [ $i -lt 60 ]; do
    "$pictures" make tree/$i.jpg $((300 + i))x200 3
    i=$((i + 1))
done
"$thumbnails" -e inline -o expected tree >out
test "$(ls expected | wc -l)" -eq 60

# faulty FAULT FILE
faulty() {
    printf '\377\330\377\376\000\020faulty: %-6s' "$1" >"$2"
    tail -c +3 tree/0.jpg >>"$2"
}
i=0
while [ $i -lt 30 ]; do # now and then among the good ones
    faulty crash tree/$((2 * i)).crash.jpg
    i=$((i + 1))
done
faulty exit tree/3.exit.jpg

# all BAD ARGUMENT...: each bad file has a line; all others are there.
all() {
    bad=$1 status=0
    shift
    rm -rf thumbs
    "$thumbnails" -o thumbs "$@" tree >out 2>err || status=$?
    cat out err
    test $status -eq 1
    test "$(cat out)" = "60 thumbnails in thumbs, $bad errors"
    test "$(grep -c '^thumbnails: ' err)" -eq $bad
    for file in tree/*.*.jpg; do
        test "$(grep -c "^thumbnails: $file: " err)" -eq 1
    done
    diff -r expected thumbs
}
all 31 -e processes:2
test "$(grep -c ': .*signal 11.*0xdead0' err)" -eq 30
grep 'tree/3.exit.jpg: ' err | grep -q 'status 3'
all 31 # the default
all 31 -e processes:1

faulty leak tree/4.leak.jpg
all 32 -e processes:2 -m 200

faulty hang tree/5.hang.jpg
all 33 -e processes:2 -m 200 -t 5s
