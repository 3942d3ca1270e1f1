#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: proxy_soak.sh FOLDER [SECONDS]
# A proxy whose clients die in the middle, again and again, for so many seconds
# (3 if it is not given). It keeps as many descriptors as it has without
# clients, its memory does not grow, and those that live are served in order.
set -eu
bin=$1
seconds=${2:-3}
work=$(mktemp -d)
. "$(dirname "$0")/common.sh"
trap 'end_all; rm -rf "$work"' EXIT
cd "$work"
# What is freed is used again soon, so that memory that grows is a leak.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1"

descriptors() {
    ls "/proc/$(cat proxy.pid)/fd" | wc -l
}

# In KiB.
memory() {
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(cat proxy.pid)/status"
}

# Up to eight crowds at once, each of which is killed after that time.
die_after() {
    for time in "$@"; do
        timeout -s KILL "$time" "$bin/chat_load" --clients 50 --rooms 2 \
            --lines 200 "$address" >/dev/null 2>&1 &
        pids="$pids $!"
    done
    for pid in $pids; do
        wait "$pid" 2>/dev/null || true # it says who was killed
    done
    pids=
}
pids=

# attempt TEXT COMMAND...: until the command succeeds, about 20 s at most.
attempt() {
    what=$1 tries=0
    shift
    until "$@"; do
        tries=$((tries + 1))
        if [ $tries -gt 1000 ]; then
            echo "$what; the proxy has $(descriptors) descriptors" >&2
            exit 1
        fi
        sleep 0.02
    done
}

is_empty() {
    echo /rooms | "$bin/chat_client" bob "$address" 2>/dev/null |
        grep -qx '\* rooms: lobby:1'
}

# Waits until the server has seen the ends of those that died.
settle() {
    attempt "the server still has clients" is_empty
}

has_descriptors() {
    [ "$(descriptors)" -eq "$1" ]
}

# Those that live.
live() {
    "$bin/chat_load" --clients 50 --rooms 2 --lines 5 "$address" >load.out
    grep -qx '50 clients in 2 rooms: 6250 lines arrived,.* in order' load.out
    settle
}

begin server chat_server
begin proxy proxy --check 3600000 --connect 60000 "$address"
live
idle=$(descriptors)
for i in 1 2 3 4 5 6 7 8 9 10; do # those that leave are closed meanwhile
    now=$(descriptors)
    [ "$now" -ge "$idle" ] || idle=$now
    sleep 0.05
done
for last in 0.1 0.2 0.3 0.4; do
    die_after 0.02 0.05 0.1 0.15 $last
    settle
done
attempt "not closed: more than $idle" has_descriptors "$idle"
least=$(memory)

deadline=$(($(date +%s) + seconds))
rounds=0
while [ "$(date +%s)" -lt "$deadline" ]; do
    die_after 0.02 0.05 0.1 0.15 "0.$((rounds % 4 + 1))"
    settle
    [ $((rounds % 5)) -ne 0 ] || live
    rounds=$((rounds + 1))
done
attempt "not closed: more than $idle" has_descriptors "$idle"
most=$(memory)
# Pools of stacks and the allocator's arenas grow for the first rounds.
limit=$((2 * least + 8192))
echo "$rounds rounds: $idle descriptors, $least KiB before, $most KiB after"
if [ "$most" -gt "$limit" ]; then
    echo "more than $limit KiB" >&2
    exit 1
fi
end proxy
end server
diff /dev/null proxy.err
