# SPDX-License-Identifier: MIT
# For tests of one program, $program, in the current folder.

# wrong MESSAGE ARGUMENT...: exit status 2, MESSAGE first, nothing printed.
wrong() {
    message=$1 status=0
    shift
    "$program" "$@" >out 2>err </dev/null || status=$?
    test $status -eq 2
    test ! -s out
    head -n 1 err | grep -qF -- "$message"
}

# exactly LINE ARGUMENT...: the same, and LINE is the whole first line.
exactly() {
    wrong "$@"
    head -n 1 err | grep -qxF -- "$1"
}

# fills ARGUMENT...: says so when its output cannot be written.
fills() {
    test -c /dev/full || return 0
    status=0
    "$program" "$@" >/dev/full 2>err || status=$?
    test $status -eq 1
    grep -q "^$(basename "$program"): standard output: " err
}

# interrupt PID CONDITION: Ctrl-C for that process, once that command succeeds.
# The process was started with the signal's default action.
interrupt() {
    pid=$1 status=0
    until eval "$2" >/dev/null 2>&1; do
        kill -0 "$pid"
        sleep 0.01
    done
    kill -INT "$pid"
    wait "$pid" || status=$?
    test $status -eq 130
}

# feed FILE: writes it to the new pipe `pipe`, and makes the file `fed`. The
# pipe stays open until stop_feeding, and holds less than FILE.
feed() {
    rm -f fed
    mkfifo pipe
    (
        exec 3>pipe
        cat "$1" >&3
        : >fed
        exec sleep 100
    ) &
    feeder=$!
}

stop_feeding() {
    kill $feeder
    rm pipe
}
