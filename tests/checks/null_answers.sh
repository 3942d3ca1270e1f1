#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What every public function answers to NULL is said in docs/guarantees/errors.md and
# shown in tests/conformance/test_null.c.
. "$(dirname "$0")/common.sh"

functions=$(cat include/cfutures/*.h | tr '\n' ' ' | sed 's/CF_API/\n&/g' |
    sed -nE 's/^CF_API[^(]*[ *](cf_[a-z_]+)\(.*/\1/p' | sort -u)
some "public functions" "$functions"
marked=$(cat include/cfutures/*.h | grep -c '^CF_API')
[ "$(wc -l <<<"$functions")" -eq "$marked" ] ||
    complain "found $(wc -l <<<"$functions") functions of $marked"

said=$(sed -n '/^## NULL and misuse$/,/^## /p' docs/guarantees/errors.md)
some "answers" "$said"
for function in $functions; do
    grep -q "\`$function\`" <<<"$said" ||
        complain "docs/guarantees/errors.md, NULL and misuse: $function is missing"
    grep -q "(\*\?(\?$function)\?(" tests/conformance/test_null.c ||
        complain "tests/conformance/test_null.c: $function is missing"
done
finish
