#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: readme_quotes_hello.sh SOURCE_DIR
# Fails unless README.md holds samples/hello.c, word for word, in the code block
# that follows the line "<!-- samples/hello.c -->".
set -eu
awk '/^<!-- samples\/hello.c -->$/ { here = 1; next }
     here == 1 && /^```c$/ { here = 2; next }
     here == 2 && /^```$/ { exit }
     here == 2' "$1/README.md" | diff -u "$1/samples/hello.c" -
