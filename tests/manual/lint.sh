#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The headers' comments are as CONTRIBUTING.md says; and each rule fires on a
# header that breaks it: lint.sh PYTHON, in the root of the source tree.
set -euo pipefail

python=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
    echo "lint: $*" >&2
    exit 1
}

# broken EXPRESSION SENTENCE: a good header, changed by sed, is refused with
# that sentence and no other.
broken() {
    local said
    sed -e "$1" "$folder/good" >"$folder/headers/cup.h"
    ! cmp -s "$folder/good" "$folder/headers/cup.h" ||
        fail "'$1' changes nothing"
    if said=$("$python" tools/manual/manual.py lint "$folder/headers"); then
        fail "'$1' is no finding"
    fi
    [[ $said == *": $2" && $said != *$'\n'* ]] ||
        fail "'$1' is not '$2', but: $said"
}

"$python" tools/manual/manual.py lint || fail "the headers are wrong"

mkdir "$folder/headers"
cat >"$folder/good" <<'HEADER'
/* SPDX-License-Identifier: MIT */
/*
 * Cups: cf_cup_fill().
 */
#ifndef CFUTURES_CUP_H
#define CFUTURES_CUP_H

typedef struct cf_cup cf_cup; /* to drink from */

/**
 * Fills a cup.
 *
 * @param cup        The cup.
 * @param what       What to fill it with.
 * @param[out] left  How much is left of it.
 *
 * @retval CF_OK
 * @retval CF_EFULL  It was full before.
 *
 * Threads:   any.
 * Blocks:    no.
 * Python:    none.
 */
CF_API cf_err cf_cup_fill(cf_cup *cup, const char *what, int *left);

/**
 * Breaks a cup.
 *
 * The rest as cf_cup_fill().
 */
CF_API void cf_cup_break(cf_cup *cup);

/* What the above uses. */
enum { CF_OK, CF_EFULL };

#endif
HEADER
cp "$folder/good" "$folder/headers/cup.h"
"$python" tools/manual/manual.py lint "$folder/headers" ||
    fail "the good header is refused"

broken '/^\/\*\*$/{N;s|/\*\*\(\n . Breaks\)|/*\1|}' \
    'cf_cup_break() has no comment that begins with /**'
broken 's/Fills a cup/fills a cup/' \
    "cf_cup_fill() begins with 'fills': a sentence is to come first"
broken 's/@param cup /@param cap /' "cf_cup_fill() has no parameter 'cap'"
broken 's/  *The cup\.//' "cf_cup_fill() says nothing of 'cup'"
broken 's/\(const char .what\), \(int .left\)/\2, \1/' \
    'cf_cup_fill() has its parameters in another order than its comment'
broken '/param cup/{h;G}' 'cf_cup_fill() has a parameter twice'
broken '/Blocks:/d' "cf_cup_fill() has no 'Blocks:', nor 'The rest as'"
broken 's/\(Blocks:\).*/\1/' "cf_cup_fill() says nothing after 'Blocks:'"
broken 's/as cf_cup_fill/as cf_cup_fil/' "'cf_cup_fil' does not exist"
broken '/Threads:/{h;d};/Blocks:/G' 'cf_cup_fill() has its tags in the order '\
'param, param, param[out], retval, retval, Blocks, Threads, Python'
broken 's/@retval CF_EFULL/@retval full/' \
    "cf_cup_fill() returns a cf_err, and not 'full'"
broken '/@retval/d' 'cf_cup_fill() returns a cf_err, and does not say which'
broken '/Breaks/a\ *\n * @return Nothing.' \
    'cf_cup_break() returns nothing, and says what'
broken 's/Cups: cf_cup_fill/Cups: cf_cup_fil/' "'cf_cup_fil' does not exist"
