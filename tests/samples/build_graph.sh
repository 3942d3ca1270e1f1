#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: build_graph.sh BUILD_GRAPH PLAN SPEC...
# What is built, fails and is skipped, and why; orders; what is wrong with a
# file; Ctrl-C. PLAN is samples/data/build.txt.
set -eu
build_graph=$1
plan=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# run STATUS ARGUMENT...: leaves sorted lines without times in "out".
run() {
    expected=$1 status=0
    shift
    "$build_graph" "$@" >all 2>err || status=$?
    test $status -eq "$expected"
    sed 's/, [0-9.]* ms$//' all | sort >out
}

cat >expected <<'END'
5 built, 1 failed, 2 skipped, 0 left
FAILED   parser: parser.c:12: a ';' is missing
built    codegen
built    config
built    docs
built    lexer
built    report
skipped  compiler: not run: input 'parser' failed: parser.c:12: a ';' is missing
skipped  tests: not run, as input 'compiler' was not: input 'parser' failed: parser.c:12: a ';' is missing
END
for spec in "$@"; do
    run 1 -e "$spec" "$plan"
    sed -n '$p' all | grep -q ' left$'
    cmp out expected
    run 0 -e "$spec" "$plan" docs lexer
    test "$(cat out)" = "$(printf '%s\n' '3 built, 0 failed, 0 skipped, 0 left' \
        'built    config' 'built    docs' 'built    lexer')"
done

# Commands run after those they need, and their failures say how they ended.
cat >order <<'END'
last: middle first
    run cat middle.txt >last.txt
middle: first
    run cat first.txt first.txt >middle.txt
first:
    run echo one >first.txt
exits: first
    run exit 7
killed: first
    run kill -9 $$
END
for spec in "$@"; do
    rm -f ./*.txt
    run 1 --executor "$spec" order
    test "$(cat last.txt)" = "$(printf 'one\none\n')"
    grep -qx 'FAILED   exits: exit status 7: exit 7' out
    grep -qxF 'FAILED   killed: killed by signal 9: kill -9 $$' out
    grep -qx '3 built, 2 failed, 0 skipped, 0 left' out
done

# A chain, and many that one needs, from standard input.
awk 'BEGIN {
    print "t0:"
    for (i = 1; i < 2000; i++) print "t" i ": t" i - 1
    printf "all:"
    for (i = 0; i < 2000; i++) printf " t%d", i
    print ""
}' >many
run 0 - <many
tail -n 1 all | grep -qx '2001 built, 0 failed, 0 skipped, 0 left'

# wrong MESSAGE LINE...: a file of these lines is refused with MESSAGE.
wrong() {
    message=$1
    shift
    printf '%s\n' "$@" >wrong.txt
    run 1 wrong.txt
    test ! -s out
    grep -qxF -- "$message" err
}
wrong 'wrong.txt:1: a circle: a -> a' 'a: a'
wrong 'wrong.txt:3: a circle: b -> c -> b' 'a: b' 'b: c' 'c: b a' 'd:'
wrong "wrong.txt:1: 'a' needs 'b', which is no target" 'a: b'
wrong "wrong.txt:2: 'a' is in line 1 already" 'a:' 'a:'
wrong "wrong.txt:1: no ':' behind a name" 'a b'
wrong "wrong.txt:1: not one name before ':'" 'a b: c'
wrong "wrong.txt:1: not one name before ':'" ': c'
wrong 'wrong.txt:1: a step before any target' '  run true'
for step in run wait 'wait 5' 'wait x' jump; do
    wrong "wrong.txt:2: not 'run COMMAND', 'wait 20ms' or 'fail MESSAGE'" \
        'a:' "  $step"
done
run 1 order nothing
grep -qx "order: no target 'nothing'" err
run 1 no-such-file
grep -q '^build_graph: no-such-file: No such file' err
: >empty
run 0 empty
run 2 -e bogus order
grep -q "'bogus' is none of: inline" err
run 2 --bogus
"$build_graph" --help | grep -q '^usage: build_graph '

# Ctrl-C stops a command, and what needs it is not begun.
cat >slow <<'END'
slow:
    run echo $$ >pid; sleep 1000
next: slow
    run touch begun
END
for spec in "$@"; do
    test "$spec" != inline || continue # whose one thread is in the command
    rm -f pid
    env --default-signal=INT "$build_graph" -e "$spec" slow >out 2>err &
    build=$!
    until test -s pid; do
        kill -0 $build
        sleep 0.01
    done
    kill -INT $build
    status=0
    wait $build || status=$?
    test $status -eq 130
    grep -qx '0 built, 0 failed, 0 skipped, 2 left' out
    test ! -e begun
    if kill -0 "$(cat pid)" 2>/dev/null; then exit 1; fi
done
