#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A file that grows has usually taken in a second concept.
. "$(dirname "$0")/common.sh"

list=$(files c cpp h hpp)
some sources "$list"
# shellcheck disable=SC2086 # no file name here has a blank
while read -r lines file; do
    case $file in
    include/*.h) continue ;; # mostly documentation
    *.h) most=400 ;;
    *) most=600 ;;
    esac
    if [ "$lines" -gt "$most" ]; then
        complain "$file has $lines lines; the limit is $most"
    elif [ "$lines" -gt 400 ]; then
        echo "sizes: warning: $file has $lines lines; 400 would be better"
    fi
done < <(wc -l $list | grep -v ' total$')
finish
