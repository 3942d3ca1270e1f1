#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: chat.sh FOLDER
# A chat of many clients: each line arrives once and in order. Then people, who
# make mistakes; a slow reader; and bad command lines.
set -eu
bin=$1
work=$(mktemp -d)
. "$(dirname "$0")/common.sh"
trap 'end_all; rm -rf "$work"' EXIT
cd "$work"

# ends PATTERN: stops the server; its last line is to match.
ends() {
    end chat
    tail -n 1 chat.out | grep -qx "$1"
    diff /dev/null chat.err
}

begin chat chat_server
"$bin/chat_load" --clients 200 --rooms 4 --lines 5 "$address" >out
grep -qx '200 clients in 4 rooms: 50000 lines arrived, each once and in order' \
    out
cat >typed <<'END'
no good name
bob
hello
/who
/rooms
/join
/join bad*room
/join den
/dance
/who
/quit
never said
END
cat typed | "$bin/chat_client" 'x y' "$address" | diff - /dev/fd/4 4<<'END'
* your name?
! a name has 1 to 24 letters, digits, - and _
! a name has 1 to 24 letters, digits, - and _
* bob is in lobby
<bob> hello
* 1: bob
* rooms: lobby:1
! there are /join ROOM, /who, /rooms and /quit
! that is no name of a room
* bob is in den
! there are /join ROOM, /who, /rooms and /quit
* 1: bob
END
# A line that is too long ends the connection; control bytes are made harmless.
{
    printf 'a\033[2Jb\n'
    awk 'BEGIN { while (i++ < 1200) printf "x"; print "" }'
} | "$bin/chat_client" eve "$address" >out
printf '<eve> a?[2Jb\n! a line has at most 1000 bytes\n' | diff - /dev/fd/4 \
    4<<END
$(tail -n 2 out)
END
ends '202 clients, 1002 lines to 50002 readers, 0 dropped'

# The check finds a line that is lost.
begin chat chat_server --queue 1
fails "$bin/chat_load" --clients 50 --rooms 1 --lines 20 --timeout 60 \
    "$address" >out 2>err
grep -q '^chat_load: client [0-9]*: ' err
test ! -s out
ends '50 clients, .* dropped'

# Nobody listens there any more.
fails "$bin/chat_load" --clients 2 "$address" 2>err
grep -q '^chat_load: client [01]: joins: ' err
fails "$bin/chat_client" bob "$address" 2>err </dev/null
grep -q "^chat_client: $address: Connection refused" err

wrong chat_server 'chat_server: --queue 0: not 1 to 100000' --queue 0
wrong chat_server 'chat_server: --ping x: not 1 to 86400' --ping x
wrong chat_server 'chat_server: what is 7?' 7
wrong chat_load 'chat_load: give one address'
wrong chat_load 'chat_load: --lines 1001: not 1 to 1000' --lines 1001 a
wrong chat_client 'Usage: chat_client NAME [ADDRESS]'
for program in chat_server chat_load chat_client; do
    "$bin/$program" --help | grep -q "^Usage: $program "
done
fails "$bin/chat_server" --listen bogus 2>err
grep -q '^chat_server: bogus: invalid argument' err
