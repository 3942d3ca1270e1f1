# SPDX-License-Identifier: MIT
# For tests of servers that print "listening on ADDRESS" and end on Ctrl-C.
# $bin is the folder of the programs; the caller is in an empty folder.

# begin NAME PROGRAM OPTION...: starts it as NAME; $address is where it listens,
# its output goes to NAME.out, and its errors go to NAME.err.
begin() {
    name=$1 program=$2
    shift 2
    : >"$name.out"
    env --default-signal=INT "$bin/$program" --listen tcp:127.0.0.1:0 "$@" \
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
