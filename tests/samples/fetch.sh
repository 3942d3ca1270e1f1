#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: fetch.sh FETCH SERVER SPEC...
# Files that come, and those that do not, on every executor; no more at once
# from a host than may be; Ctrl-C leaves no half of a file.
program=$1
. "$(dirname "$0")/command.sh"
. "$(dirname "$0")/http_server.sh"
shift 2
LC_ALL=C
export LC_ALL

# What a reset looks like depends on who is faster.
of_reset() {
    sed 's/\(reset: failed: \)[^,]*,/\1R,/'
}

# only FILE...: nothing else is in the folder "got".
only() {
    printf '%s\n' "$@" | sort | diff - /dev/fd/4 4<<END
$(ls -A got)
END
}

busy=2 # the next address that is busy twice
for spec in "$@"; do
    rm -rf got
    mkdir got
    cat >urls <<END
# what a server may do
$site/ok

  $site/size/3000000
$site/slow/30?a/b
$site/size/0/
$site/redirect/4
END
    "$program" -e "$spec" -o got -i urls "$site/busy/$busy" >out
    sort out | diff - /dev/fd/4 4<<END
$site/busy/$busy: 3 bytes, got/$busy, 3 tries
$site/ok: 3 bytes, got/ok
$site/redirect/4: 3 bytes, got/4
$site/size/0/: 0 bytes, got/index.html
$site/size/3000000: 3000000 bytes, got/3000000
$site/slow/30?a/b: 3 bytes, got/30?a_b
END
    only ok 3000000 '30?a_b' index.html 4 $busy
    head -c 3000000 /dev/zero | tr '\0' x | cmp - got/3000000
    test "$(cat got/ok got/4 got/$busy 'got/30?a_b')" = \
        "$(printf 'ok\nok\nok\nok')"
    test ! -s got/index.html
    busy=$((busy + 3))

    # What is there stays, or is replaced.
    echo mine >got/ok
    status=0
    "$program" -e "$spec" -o got "$site/ok" "$site/size/9" >out 2>err ||
        status=$?
    test $status -eq 1
    test "$(cat err)" = 'fetch: got/ok: is there already'
    test "$(cat out)" = "$site/size/9: 9 bytes, got/9"
    test "$(cat got/ok)" = mine
    "$program" -e "$spec" -f -o got "$site/ok" >out
    test "$(cat got/ok)" = ok

    # Of two with one name the first one stays: the second one sees it before
    # it begins, or at its end.
    rm -rf got
    mkdir got
    status=0
    "$program" -e "$spec" -o got "$site/size/9" "$site/./size/9" >out 2>err ||
        status=$?
    test $status -eq 1
    test "$(wc -l <out)" -eq 1
    test "$(wc -l <err)" -eq 1
    grep -qE '^fetch: got/9: (is there already|File exists)$' err
    only 9

    # What does not come leaves nothing.
    rm -rf got
    mkdir got
    status=0
    "$program" -e "$spec" -o got "$site/none" "$site/around" "$site/ok" \
        >out 2>err || status=$?
    test $status -eq 1
    test ! -s err
    "$program" -e "$spec" -t 300ms -r 1 -o got "$site/half" "$site/hang" \
        "$site/reset" >>out 2>err || status=$?
    test $status -eq 1
    test ! -s err
    of_reset <out | sort | sed 's/\(around: failed: \).*/\1A/' |
        diff - /dev/fd/4 4<<END
$site/around: failed: A
$site/half: failed: timed out, 2 tries
$site/hang: failed: timed out, 2 tries
$site/none: failed: status 404
$site/ok: 3 bytes, got/ok
$site/reset: failed: R, 2 tries
END
    only ok

    # A file that cannot be written.
    status=0
    (
        trap '' XFSZ
        ulimit -f 200
        "$program" -e "$spec" -o got "$site/size/3000000"
    ) >out || status=$?
    test $status -eq 1
    test "$(cat out)" = "$site/size/3000000: failed: File too large"
    only ok
done

# crowd OPTION...: how many waited at once, of 24 from two hosts.
crowd() {
    rm -rf got
    mkdir got
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
        echo "$site/crowd/200?$i"
        echo "http://localhost:${site##*:}/crowd/200?local$i"
    done | "$program" -o got "$@" >out
    test "$(ls got | wc -l)" -eq 24
    sort -n got/* | tail -n 1
}
test "$(crowd -n 1)" -eq 2
most=$(crowd -n 3)
test "$most" -ge 3
test "$most" -le 6
most=$(crowd -n 100)
test "$most" -ge 7 # and 24, if the machine is not busy
test "$(crowd -n 100 -j 2)" -eq 2
test "$(crowd -e threads:2)" -eq 2
test "$(crowd -e inline)" -eq 1

# What is no URL is named; the rest comes.
rm -rf got
mkdir got
printf 'ftp://127.0.0.1/\nnonsense\n%s/ok\n\033[2J\n' "$site" >urls
status=0
"$program" -o got -i urls -i nowhere "$site/size/1" file:///etc/passwd >out \
    2>err || status=$?
test $status -eq 1
only ok 1
diff - err <<'END'
urls:1: 'ftp://127.0.0.1/': not an http or https URL
urls:2: 'nonsense': not an http or https URL
urls:4: '?[2J': not an http or https URL
fetch: nowhere: No such file or directory
arguments:2: 'file:///etc/passwd': not an http or https URL
END
"$program" </dev/null
echo "$site/size/2" | (cd got && "$program") | grep -qx ".*: 2 bytes, ./2"
status=0
"$program" -o none "$site/ok" >out 2>err || status=$?
test $status -eq 1
grep -q '^fetch: none/ok: No such file' err
fills -o got "$site/size/3"
test ! -c /dev/full || grep -q ': No space left' err

wrong 'fetch: --jobs 0: not 1 to 10000' -j 0
wrong 'fetch: --per-host 101: not 1 to 100' -n 101
wrong 'fetch: --retries 21: not 0 to 20' -r 21
wrong 'fetch: --timeout 0s: not 1ms to 1440m' -t 0s
wrong "'bogus' is none of: inline" -e bogus
wrong bogus --bogus
"$program" --help | grep -q '^usage: fetch '

# Progress is there on a terminal, and only there.
if command -v script >/dev/null; then
    script -q -e -c "'$program' -f -n 1 -o got $site/ok $site/slow/300 >out" \
        /dev/null >screen </dev/null
    grep -q '50%  1/2 files' screen
    "$program" -f -o got "$site/ok" >out 2>err
    test ! -s err
fi

# Ctrl-C when one file is there, and another one has begun. On the inline
# executor it ends with that.
for spec in "$@"; do
    rm -rf got
    mkdir got
    env --default-signal=INT "$program" -e "$spec" -r 0 -t 2s -o got \
        "$site/hang" "$site/hang?2" "$site/hang?3" >out &
    interrupt $! 'ls got/hang.*'
    test -z "$(ls -A got)"
done
