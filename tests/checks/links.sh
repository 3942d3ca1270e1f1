#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Relative links in the Markdown files lead to files that exist. So do names of
# files in texts and in comments, such as lib/future/future.h.
. "$(dirname "$0")/common.sh"

list=$(files md)
some "Markdown files" "$list"
for file in $list; do
    # Outside of code blocks; the target without title and fragment.
    targets=$(awk '/^ *```/ { code = !code; next } !code' "$file" |
        { grep -oE '\]\([^) ]+' || true; } | cut -c3- | sed 's/#.*//')
    for target in $targets; do
        case $target in
        *://* | mailto:*) ;;
        /*) complain "$file: $target is an absolute path" ;;
        *)
            [ -e "$(dirname "$file")/$target" ] ||
                complain "$file: there is no $target"
            ;;
        esac
    done
done

rooms='bench|cmake|docs|event_loop|include|lib|process_pool|samples|scripts|tests'
rooms+='|thread_pool'
# shellcheck disable=SC2046 # no file name here has a blank
named=$(grep -HoE "(^|[^A-Za-z0-9_/.<-])($rooms)/[A-Za-z0-9_/.-]+" \
    $(files c h cpp md sh cmake txt) | sed -E 's/:[^a-z]?/ /; s/\.$//' |
    grep -E '\.(c|h|cpp|in|md|sh|txt|cmake)$' | sort -u)
some "names of files" "$named"
while read -r file name; do
    [ -e "$name" ] || complain "$file names $name, which is not there"
done <<<"$named"
finish
