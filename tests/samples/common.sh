# SPDX-License-Identifier: MIT
# For tests of programs in the folder $bin; the caller is in an empty folder.
# Servers print "listening on ADDRESS" and end on Ctrl-C.

# begin NAME PROGRAM OPTION...: starts it as NAME; $address is where it listens,
# its output goes to NAME.out, and its errors go to NAME.err.
begin() {
    name=$1 tool=$2
    shift 2
    : >"$name.out"
    env --default-signal=INT "$bin/$tool" --listen tcp:127.0.0.1:0 "$@" \
        >"$name.out" 2>"$name.err" &
    echo $! >"$name.pid"
    until grep -q '^listening on ' "$name.out"; do
        kill -0 "$(cat "$name.pid")"
        sleep 0.01
    done
    address=$(sed -n '1s/^listening on //p' "$name.out")
}

# end NAME: stops it, and waits for its end; $address is as after begin.
end() {
    kill -INT "$(cat "$1.pid")"
    wait "$(cat "$1.pid")"
    rm "$1.pid"
}

# Stops what runs, in case of a failure.
end_all() {
    for file in *.pid; do
        test ! -e "$file" || kill "$(cat "$file")" 2>/dev/null || true
    done
}

# wrong PROGRAM MESSAGE ARGUMENT...: MESSAGE comes first, nothing is printed.
wrong() {
    tool=$1 message=$2 status=0
    shift 2
    "$bin/$tool" "$@" >out 2>err </dev/null || status=$?
    test $status -eq 2
    test ! -s out
    head -n 1 err | grep -qxF -- "$message"
}

# fails COMMAND...: it must. (The shell that stops at an error goes on after
# `! command`, whatever that does.)
fails() {
    if "$@"; then exit 1; fi
}
