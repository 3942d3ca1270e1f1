#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: generators.sh GENERATORS
# On pools the same lines come in some order; bad input is answered.
set -eu
generators=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$generators" --count 40 | LC_ALL=C sort >loop
for spec in threads:3 threads:1 inline loop:1; do
    "$generators" --executor $spec --count 40 | LC_ALL=C sort | diff loop -
done
# In an event loop the order is strict.
test "$("$generators" -n 90 | awk '{print $1}' | uniq -c |
    awk '$1 != 1' | wc -l)" -eq 0
"$generators" -n 90 | tail -n 1 | grep -qx 'fibonacci 1779979416004714189'

# wrong MESSAGE STATUS ARGUMENT...: MESSAGE comes first, nothing is printed.
wrong() {
    message=$1 expected=$2
    shift 2
    status=0
    "$generators" "$@" >out 2>err </dev/null || status=$?
    test $status -eq "$expected"
    test ! -s out
    head -n 1 err | grep -qxF "generators: $message"
}
for count in 0 91 -1 5x '' 99999999999999999999; do
    wrong "--count $count: not 1 to 90" 2 --count "$count"
done
wrong 'what is 5?' 2 5
specs='inline, threads[:N], processes[:N], loop'
wrong "--executor bogus: invalid argument (there are $specs)" 1 \
    --executor bogus
if "$generators" --bogus 2>/dev/null; then exit 1; fi
if "$generators" >/dev/full 2>/dev/null; then exit 1; fi
"$generators" --help | grep -q '^Usage: generators '
