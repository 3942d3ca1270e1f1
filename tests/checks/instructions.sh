#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An empty task (submit, run, result, unref) costs at most 20 % more instructions
# than bench/instructions/noted says, for gcc 12 -O2 on x86-64: instructions.sh
# PROGRAM BUILD_TYPE [CXX_PROGRAM]. A change that makes the task cheaper lowers
# that number. A task with 4 bytes costs what one with 8 bytes costs, but for 2 %; a typed task
# (cfutures/typed.h), but for 3 %; a lambda from C++, but for 10 %.
. "$(dirname "$0")/common.sh"

noted=$(cat bench/instructions/noted)

if ! command -v valgrind >/dev/null; then
    echo "instructions: valgrind is not installed"
    exit 77
fi
case $2 in
Release | RelWithDebInfo) ;;
*)
    echo "instructions: only optimised builds are counted, this is '$2'"
    exit 77
    ;;
esac
counted=$(bench/instructions/count "$1") || exit 1
echo "instructions: $counted per task, $noted noted"
if ! awk "BEGIN { exit !($counted <= 1.2 * $noted) }"; then
    complain "$counted is more than 1.2 times $noted"
fi
int=$(bench/instructions/count "$1" 4) || exit 1
echo "instructions: $int per task with an int"
if ! awk "BEGIN { exit !($int <= 1.02 * $counted) }"; then
    complain "$int with 4 bytes are more than 1.02 times $counted with 8"
fi
typed=$(bench/instructions/count "$1" typed) || exit 1
echo "instructions: $typed per typed task"
if ! awk "BEGIN { exit !($typed <= 1.03 * $counted) }"; then
    complain "$typed with types are more than 1.03 times $counted without"
fi
# cxx_costs BYTES COUNT: what a task with so many bytes costs from C++, which C
# does with COUNT.
cxx_costs() {
    local more
    more=$(bench/instructions/count "$cxx" "$1") || exit 1
    echo "instructions: $more per task with $1 bytes from C++"
    if ! awk "BEGIN { exit !($more <= 1.1 * $2) }"; then
        complain "$more from C++ are more than 1.1 times $2"
    fi
}
cxx=${3:-}
if [ -n "$cxx" ]; then
    cxx_costs 8 "$counted"
    cxx_costs 4 "$int"
fi
finish
