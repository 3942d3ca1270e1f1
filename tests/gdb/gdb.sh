#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/gdb/cfutures-gdb.py, on a process and on a core of it: gdb.sh PROGRAM.
set -euo pipefail
program=$1
script=$(dirname "$0")/../../tools/gdb/cfutures-gdb.py
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! command -v gdb >/dev/null || ! gdb -nx -batch -ex 'python pass' 2>&1 |
    (! grep .) >/dev/null; then
    echo "gdb.sh: gdb with Python is not installed"
    exit 77
fi

# run_gdb OUTPUT ARGUMENT...
run_gdb() {
    local output=$1
    shift
    timeout 120 gdb -nx -batch -iex 'set debuginfod enabled off' "$@" \
        >"$output" 2>&1 </dev/null || true
}

commands=(-ex "source $script" -ex 'cf tasks' -ex 'cf bt night watch'
    -ex 'cf bt running_task' -ex 'cf bt awaiting_task' -ex 'cf bt nobody'
    -ex backtrace)
run_gdb "$folder/live" -ex 'break all_parked' -ex run "${commands[@]}" \
    "$program"
if grep -E 'ptrace|Could not trace' "$folder/live"; then
    echo "gdb.sh: this process may not trace another one"
    exit 77
fi
if grep 'no debug information' "$folder/live"; then
    exit 77
fi

failures=0
# expect FILE PATTERN...: the file has a line for each, in that order.
expect() {
    local file=$1 at=1 next pattern
    shift
    for pattern in "$@"; do
        next=$(tail -n "+$at" "$file" | grep -nE -m1 -- "$pattern" |
            cut -d: -f1 || true)
        if [ -z "$next" ]; then
            echo "gdb.sh: $(basename "$file") has no line (any more) with:" \
                "$pattern"
            failures=$((failures + 1))
            return
        fi
        at=$((at + next))
    done
}

check() {
    expect "$1" \
        '^loop 1, cfloop_0: 5 tasks$' \
        '^  1\.0 +running +running_task: thread 1$' \
        '^  1\.1 +parked +"night watch" sleepy_task: in cf_sleep\(\) at parked\.c:[0-9]+, '"$2"'$' \
        '^  1\.2 +parked +awaiting_task: for a promise, .*at parked\.c:[0-9]+$' \
        '^  1\.3 +parked +"patient" awaiting_task: for "night watch" \(sleepy_task\), .*at parked\.c:[0-9]+$' \
        '^  1\.4 +parked +"chooser" choosing_task: for .* or another one, in cf_wait\(\) at parked\.c:[0-9]+$' \
        '^task 1\.1, parked, "night watch"$' \
        '^#0  ' \
        ' cf_sleep ' \
        ' sleep_deeper \(.*depth=0\)' \
        ' sleep_deeper \(.*depth=1\)' \
        ' sleep_deeper \(.*depth=2\)' \
        ' sleep_deeper \(.*depth=3\)' \
        ' sleepy_task ' \
        '^task 1\.0, running$' \
        '^#[0-9]+ +.*all_parked' \
        '^#[0-9]+ +.*running_task' \
        '^task 1\.2, parked$' \
        ' awaiting_task ' \
        '^task 1\.3, parked, "patient"$' \
        ' awaiting_task ' \
        'no task "nobody"' \
        ' running_task ' # the thread that was selected is selected
}

check "$folder/live" 'for 3[0-9]+\.[0-9]+ s more'

# A core of gdb's own lacks the stacks: event_loop/README.md, "Debugging".
{
    (cd "$folder" && ulimit -c unlimited && exec "$program" core) || true
} >/dev/null 2>&1
core=$(find "$folder" -name 'core*')
if [ -n "$core" ]; then
    run_gdb "$folder/dead" "${commands[@]}" "$program" "$core"
    check "$folder/dead" 'with a deadline'
else
    echo "gdb.sh: the system leaves no core here"
fi
if [ "$failures" -ne 0 ]; then
    cat "$folder"/live "$folder"/dead
    exit 1
fi
