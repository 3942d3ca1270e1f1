#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Relative links in the Markdown files lead to files that exist.
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
finish
