#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: async_http_pages.sh ASYNC_HTTP SERVER
# Pages that come, and those that do not; the same in a loop and on threads.
async_http=$1
. "$(dirname "$0")/http_server.sh"

cat >urls <<END
# what a server may do
$site/ok

  $site/size/100000
$site/slow/30
$site/none
$site/reset
$site/hang
$site/half
END
cat >expected <<END
$site/half: failed: timed out, T ms
$site/hang: failed: timed out, T ms
$site/none: failed: status 404, T ms
$site/ok: 200, 3 bytes, T ms
$site/reset: failed: R, T ms
$site/size/100000: 200, 100000 bytes, T ms
$site/slow/30: 200, 3 bytes, T ms
END
# What a reset looks like depends on who is faster.
of_reset() {
    sed 's/\(reset: failed: \)[^,]*,/\1R,/'
}

for options in '' '--jobs 1' '--executor threads --jobs 4'; do
    status=0
    # shellcheck disable=SC2086 # several words
    "$async_http" $options --timeout 2s --file urls >out 2>err || status=$?
    test $status -eq 1
    without_times <out | of_reset | LC_ALL=C sort | diff expected -
    grep -qx 'pages      7' err
    grep -qx 'failed     4' err
    grep -q '^good ones  p50 [0-9.]* ms, p99 [0-9.]* ms$' err
    grep -q "^slowest    [0-9.]* ms, $site/ha" err
done

# A time-out and a status from 500 are worth another try, others are not.
status=0
"$async_http" -r 2 -t 300ms "$site/hang" "$site/none" >out 2>err || status=$?
test $status -eq 1
without_times <out | LC_ALL=C sort | diff - /dev/fd/4 4<<END
$site/hang: failed: timed out, T ms, 3 tries
$site/none: failed: status 404, T ms
END
"$async_http" -r 2 -t 1m "$site/busy/2" 2>err | without_times | diff - /dev/fd/4 4<<END
$site/busy/2: 200, 3 bytes, T ms, 3 tries
END

# Many at once: each of these takes a second.
i=0
while [ $i -lt 300 ]; do
    echo "$site/slow/1000"
    i=$((i + 1))
done >many
"$async_http" -j 300 -t 1m -f many >out 2>err
test "$(grep -c ': 200, 3 bytes' out)" -eq 300
seconds=$(sed -n 's/^wall time  \([0-9]*\).*/\1/p' err)
test "$seconds" -ge 1
test "$seconds" -lt 100 # one after the other they take 300

# Standard input; nothing in it is fine.
echo "$site/ok" | "$async_http" 2>err | grep -q ': 200, 3 bytes'
"$async_http" </dev/null 2>err
grep -qx 'pages      0' err
