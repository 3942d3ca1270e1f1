#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every C and C++ file is as clang-format 14 would write it; other versions
# disagree with it in details.
. "$(dirname "$0")/common.sh"

for tool in clang-format-14 clang-format; do
    if command -v "$tool" >/dev/null &&
        "$tool" --version | grep 'version 14\.' >/dev/null; then
        list=$(files c h cpp hpp)
        some sources "$list"
        # shellcheck disable=SC2086 # no file name here has a blank
        report=$("$tool" --dry-run -Werror $list 2>&1) ||
            complain "run $tool -i on"$'\n'"$(
                sed -E 's/:[0-9]+:[0-9]+: error: .*//; t; d' <<<"$report" |
                    sort -u
            )"
        finish
        exit 0
    fi
done
echo "format: clang-format 14 is not installed"
exit 77
