#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What every public function answers to NULL is said in docs/guarantees/errors.md and
# shown in tests/conformance/test_null.c, test_null_loop.c or
# tests/unit/test_curl.c.
. "$(dirname "$0")/common.sh"

functions=$(public_functions include/cfutures/*.h)
some "public functions" "$functions"

said=$(sed -n '/^## NULL and misuse$/,/^## /p' docs/guarantees/errors.md)
some "answers" "$said"
for function in $functions; do
    grep -q "\`$function\`" <<<"$said" ||
        complain "docs/guarantees/errors.md, NULL and misuse: $function is missing"
    cat tests/conformance/test_null{,_loop}.c tests/unit/test_curl.c | grep "(\*\?(\?$function)\?(" \
        >/dev/null || complain "tests/conformance/test_null.c: $function is missing"
done
finish
