#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: proxy.sh FOLDER
# A chat goes through the proxy unharmed, also beside clients that die in the
# middle; connections are dealt out in turn, and not to servers that are down.
set -eu
bin=$1
work=$(mktemp -d)
. "$(dirname "$0")/common.sh"
trap 'end_all; rm -rf "$work"' EXIT
cd "$work"

begin one chat_server
one=$address
begin two chat_server
two=$address

# --- clients that die, and those that do not ---------------------------------
begin proxy proxy "$one"
for seconds in 0.05 0.1 0.15 0.2; do
    timeout -s KILL $seconds "$bin/chat_load" --clients 100 --rooms 2 \
        --lines 200 "$address" >/dev/null 2>&1 || true
done
# Their names are free again when the server has seen their ends.
until echo /rooms | "$bin/chat_client" bob "$address" |
    grep -qx '\* rooms: lobby:1'; do
    sleep 0.01
done
"$bin/chat_load" --clients 100 --rooms 4 --lines 5 "$address" |
    grep -qx '100 clients in 4 rooms: 12500 lines arrived,.* in order'
kill -USR1 "$(cat proxy.pid)"
until grep -q ' served' proxy.out; do
    sleep 0.01
done
end proxy
diff /dev/null proxy.err
tail -n 1 proxy.out | grep -q "^$one: up, [0-9]* served, 0 open, 0 refused, "

# --- in turn -----------------------------------------------------------------
begin proxy proxy --check 20 "$one" "$two"
for i in 1 2 3 4; do
    echo /quit | "$bin/chat_client" bob "$address" >/dev/null
done
end two
until grep -q "^proxy: $two is down" proxy.err; do
    sleep 0.01
done
for i in 1 2 3; do
    echo /quit | "$bin/chat_client" bob "$address" | grep -q 'bob is in lobby'
done
end proxy
tail -n 2 proxy.out >last
grep -q "^$one: up, 5 served, 0 open, 0 refused, " last
grep -q "^$two: down, 2 served, 0 open, [1-9][0-9]* refused, " last

# --- none answers ------------------------------------------------------------
begin proxy proxy "$two"
# Its input stays open: with /quit it might end before it hears of the other
# side's end.
mkfifo nothing
fails "$bin/chat_client" bob "$address" <>nothing >out 2>&1
end proxy
end one

# --- bad command lines -------------------------------------------------------
wrong proxy 'proxy: give a backend'
wrong proxy 'proxy: --idle 0: not 1 to 86400' --idle 0 a
wrong proxy 'proxy: --check x: not 1 to 3600000' --check x a
"$bin/proxy" --help | grep -q '^Usage: proxy '
fails "$bin/proxy" --listen bogus "$one" 2>err
grep -q '^proxy: bogus: invalid argument' err
