#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: sumtree.sh SUMTREE SPEC...
# sha256sum prints the same, and accepts what is printed, on every executor;
# what cannot be read is named; Ctrl-C writes nothing.
set -eu
. "$(dirname "$0")/command.sh"
program=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
LC_ALL=C
export LC_ALL

mkdir -p tree/a/b tree/c
i=0
while [ $i -lt 200 ]; do
    echo "file $i" >"tree/a/$i"
    i=$((i + 1))
done
head -c 3000000 /dev/urandom >tree/c/large
: >tree/a/b/empty
echo x >"tree/a/b/with blanks, 'quotes'"
echo x >"$(printf 'tree/a/b/line\nfeed')"
echo x >'tree/a/b/back\slash'
ln -s ../a/1 tree/c/link
mkfifo tree/c/pipe

find tree -type f -print0 | sort -z | xargs -0 sha256sum >expected
for spec in "$@"; do
    "$program" -e "$spec" tree >out
    cmp out expected
    "$program" -e "$spec" -o sums tree
    cmp sums expected
    sha256sum -c --quiet sums
done
(cd tree && "$program") | sed 's|  \./|  tree/|' | cmp - expected
"$program" tree/a/1 tree/a/2 | sha256sum -c --quiet
mkdir none
test -z "$("$program" none)"

# A wrong sum is found: the tool that checks does check.
sed 's/^./f/' sums >wrong.sums
if cmp -s sums wrong.sums; then exit 1; fi
if sha256sum -c --quiet wrong.sums >/dev/null 2>&1; then exit 1; fi

# What cannot be read, or goes, is left out.
status=0
"$program" -o sums tree/a/1 missing tree/a/2 2>err || status=$?
test $status -eq 1
test "$(cat err)" = 'sumtree: missing: No such file or directory'
test "$(wc -l <sums)" -eq 2
if [ "$(id -u)" -ne 0 ]; then
    chmod 0 tree/a/3
    status=0
    "$program" tree >out 2>err || status=$?
    test $status -eq 1
    test "$(cat err)" = 'sumtree: tree/a/3: Permission denied'
    grep -v 'tree/a/3$' expected | cmp - out
fi
status=0
"$program" -e bogus tree 2>err || status=$?
test $status -eq 2
grep -q "'bogus' is none of: inline" err
status=0
"$program" -o no/such/file tree 2>err || status=$?
test $status -eq 1
grep -q '^sumtree: no/such/file: ' err
"$program" --help | grep -q '^usage: sumtree '
fills tree

# Ctrl-C while it reads a file without an end to wait for: 100 GB of zeros that
# take no room. One sum was asked for; none is written.
truncate -s 100G endless || exit 0
# The program has opened it, or a worker process of it has.
is_open() {
    ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q "$work/endless\$"
}
for spec in "$@"; do
    test "$spec" != inline || continue # whose one thread is in the file
    env --default-signal=INT "$program" -e "$spec" -o stopped endless &
    interrupt $! is_open
    test -z "$(ls | grep stopped || true)"
done
