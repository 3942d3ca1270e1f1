#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: stall.sh STALL
# The table has its rows, and the server's work ends as it should. How long
# clients wait depends on the machine: only the one in the server's own thread
# has to be seen, for its 125 ms but what a busy machine is late.
set -eu
out=$("$1" --quick)
echo "$out"
echo "$out" | awk '
    /^no work/ { quiet = NF > 4 && $NF == "-" }
    /^in the server/ { stalled = $(NF - 1) >= 50 && $NF == "done" }
    /^in (a thread pool|another process)/ { done += $NF == "done" }
    /^\.\.\. that crashes/ { crashed = /killed by signal 11/ }
    END { exit !(NR == 7 && quiet && stalled && done == 2 && crashed) }'
status=0
"$1" 5 2>/dev/null || status=$?
test $status -eq 2
"$1" --help | grep -q '^Usage: stall '
