#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lines end in column 80 in C and C++ files, in column 100 in Markdown files.
# Lines with an address, and rows of Markdown tables, may be longer.
. "$(dirname "$0")/common.sh"

# check_width COLUMNS FILE...
check_width() {
    local most=$1 long
    shift
    long=$(awk -v most="$most" '
        { gsub(/[\200-\277]/, "") } # what continues a character of UTF-8
        length($0) > most && !/:\/\// && !(FILENAME ~ /\.md$/ && /^ *\|/) {
            printf "%s:%d: %d columns\n", FILENAME, FNR, length($0)
        }' "$@")
    [ -z "$long" ] || complain "over $most columns:"$'\n'"$long"
}

code=$(files c h cpp hpp)
text=$(files md)
some sources "$code"
some "Markdown files" "$text"
# shellcheck disable=SC2086 # no file name here has a blank
check_width 80 $code
# shellcheck disable=SC2086
check_width 100 $text
finish
