#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: factorial_terminal.sh FACTORIAL CHECKER
# The progress bar is there on a terminal and only there. Exit status 77: the
# tool to make a terminal is missing.
set -eu
factorial=$1
command -v script >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

bar='\[[#-]*\] *[0-9]*%  [0-9]*/3000  [0-9]*/s  [0-9-]*:[0-9-]* left'

# on_terminal COMMAND: leaves what COMMAND sends to its terminal in "screen",
# and what stays readable there, when each bar has been cleared, in "lines".
on_terminal() {
    script -q -e -c "$1" /dev/null >screen </dev/null
    tr -d '\r' <screen | sed "s/.*$(printf '\033')\[K//" >lines
}

on_terminal "'$factorial' -p digits 1-2999 30000 >out"
grep -q "$bar" screen
test "$(wc -l <lines)" -eq 6
head -n 1 lines | grep -q '^tasks '
test "$(wc -l <out)" -eq 3000

# Results on the same screen stand in lines of their own.
on_terminal "'$factorial' -p digits 1-2999 30000"
grep -q "$bar" screen
test "$(grep -c '^[0-9]* [0-9]*$' lines)" -eq 3000

"$factorial" -p digits 1-2999 30000 >out 2>err
test "$(wc -l <err)" -eq 6
if grep -q "$bar" err; then exit 1; fi
