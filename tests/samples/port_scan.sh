#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: port_scan.sh FOLDER
# It finds the port of a server, and not that of one that has ended.
set -eu
bin=$1
work=$(mktemp -d)
. "$(dirname "$0")/common.sh"
trap 'end_all; rm -rf "$work"' EXIT
cd "$work"

begin one chat_server
port=${address##*:}
"$bin/port_scan" 127.0.0.1 "$port-$port" >out 2>err
test "$(cat out)" = "$port"
grep -qx '1 of 1 ports tried' err
"$bin/port_scan" --jobs 50 127.0.0.1 "$((port > 500 ? port - 500 : 1))-$port" \
    2>err | grep -qx "$port"
end one
test -z "$("$bin/port_scan" 127.0.0.1 "$port-$port" 2>err)"

wrong port_scan 'port_scan: give a host'
wrong port_scan 'port_scan: --jobs 0: not 1 to 1000' --jobs 0 localhost
wrong port_scan 'port_scan: 5-4: not FIRST-LAST from 1 to 65535' localhost 5-4
wrong port_scan 'port_scan: 1-65536: not FIRST-LAST from 1 to 65535' localhost 1-65536
"$bin/port_scan" --help | grep -q '^Usage: port_scan '
! "$bin/port_scan" no.such.host.invalid 1-3 2>err
