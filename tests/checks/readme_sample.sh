#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Programs quoted in the Markdown files are the samples, byte for byte. A quote
# is the code block after a line that names the file; the README has this one:
#
#     <!-- samples/hello.c -->
#     ```c
. "$(dirname "$0")/common.sh"

# quoted FILE SOURCE: the code block that FILE shows as SOURCE.
quoted() {
    awk -v mark="<!-- $2 -->" '
        $0 == mark { here = 1; next }
        here == 1 && /^```/ { here = 2; next }
        here == 2 && /^```/ { exit }
        here == 2' "$1"
}

grep -qxF '<!-- samples/hello.c -->' README.md ||
    complain "README.md does not quote samples/hello.c"
for file in $(files md); do
    for source in $(sed -nE 's/^<!-- (samples\/[^ ]*) -->$/\1/p' "$file"); do
        diff -u --label "$source" --label "$file" "$source" \
            <(quoted "$file" "$source") ||
            complain "$file does not quote $source exactly"
    done
done
finish
