#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: async_http_usage.sh ASYNC_HTTP SERVER
# The command line, bad input, output that cannot be written, Ctrl-C.
program=$1
. "$(dirname "$0")/command.sh"
. "$(dirname "$0")/http_server.sh"

for n in 0 10001 -1 5x '' 99999999999999999999; do
    exactly "async_http: --jobs $n: not 1 to 10000" --jobs "$n"
done
exactly 'async_http: --retries 21: not 0 to 20' --retries 21
for time in 0s 2 -1s 5h nans infs 2m1 '' 2d 1441m; do
    exactly "async_http: --timeout $time: not 1ms to 1440m" --timeout "$time"
done
exactly 'async_http: --executor processes: not loop or threads' \
    --executor processes
if "$program" --bogus >out 2>err; then exit 1; fi
grep -q 'bogus' err
"$program" --help | grep -q '^Usage: async_http '

# What is no URL is named; the rest comes.
printf 'ftp://127.0.0.1/\nnonsense\nhttp://\n%s/ok\n\033[2J\n' "$site" >urls
status=0
"$program" -f urls -f nowhere "$site/ok" file:///etc/passwd >out 2>err ||
    status=$?
test $status -eq 1
test "$(grep -c ': 200, 3 bytes' out)" -eq 2
head -n 6 err | diff - /dev/fd/4 4<<'END'
urls:1: 'ftp://127.0.0.1/': not an http or https URL
urls:2: 'nonsense': not an http or https URL
urls:3: 'http://': not an http or https URL
urls:5: '?[2J': not an http or https URL
async_http: nowhere: No such file or directory
arguments:2: 'file:///etc/passwd': not an http or https URL
END

# Nothing listens on port 1.
status=0
"$program" http://127.0.0.1:1/ >out 2>err || status=$?
test $status -eq 1
grep -q "^http://127.0.0.1:1/: failed: Couldn't connect to server, " out

if test -c /dev/full; then
    status=0
    "$program" "$site/ok" >/dev/full 2>err || status=$?
    test $status -eq 1
    grep -q '^async_http: standard output: No space left' err
fi

# Ctrl-C gives up what hangs; what has come has been told.
for executor in loop threads; do
    "$program" -e $executor "$site/ok" "$site/hang" >out 2>err &
    until grep -q ok out; do sleep 0.05; done
    kill -INT $!
    status=0
    wait $! || status=$?
    test $status -eq 130
    test "$(wc -l <out)" -eq 1
    grep -qx 'pages      1' err
done
