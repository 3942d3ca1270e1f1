#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: async_http_terminal.sh ASYNC_HTTP SERVER
# The table is there on a terminal and only there. Exit status 77: the tool to
# make a terminal is missing.
command -v script >/dev/null || exit 77
async_http=$1
. "$(dirname "$0")/http_server.sh"

urls="$site/ok $site/none $site/slow/3000"
status=0
script -q -e -c "'$async_http' $urls >out" /dev/null >screen </dev/null ||
    status=$?
test $status -eq 1
escape=$(printf '\033')
tr -d '\r' <screen | sed "s/$escape\[[0-9]*[AJ]//g" >lines
grep -qx 'done     2 of 3, 1 under way' lines
grep -qx 'failed   1' lines
grep -q '^speed    [0-9.]* k*B/s$' lines
grep -q "^slowest  [0-9.]* ms $site/" lines
# Each table is taken away, by as many lines as it has.
test "$(grep -c '^done ' lines)" -eq \
    "$(tr '\033' '\n' <screen | grep -c '^\[4A')"
test "$(wc -l <out)" -eq 3

"$async_http" "$site/slow/500" >out 2>err || true
if grep -q '^done ' err; then exit 1; fi
