#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The shared library exports exactly what the headers declare with CF_API, all
# of it beginning with cf_: symbols.sh CC NM LIBRARY
. "$(dirname "$0")/common.sh"

cc=$1 nm=$2 library=$3

exported=$("$nm" -D --defined-only "$library" | awk '{print $NF}' | sort)
some "exported symbols" "$exported"
# A declaration reaches to its semicolon; CF_API has become an attribute. Its
# name is the last word before the first bracket that is not an attribute's.
declared=$("$cc" -E -P -Iinclude include/cfutures/cfutures.h | tr '\n' ' ' |
    tr ';' '\n' | grep 'visibility("default")' |
    sed -E 's/.*visibility\("default"\)\)\)//
        s/__attribute__\(\([a-z_]+\)\)//g
        s/ *\(.*//
        s/.*[ *]//' | sort -u)
some "declarations" "$declared"
marked=$(cat include/cfutures/*.h | grep -c "^CF_API")
[ "$(wc -l <<<"$declared")" -eq "$marked" ] ||
    complain "the headers say CF_API $marked times, not as often as" \
        "$(wc -l <<<"$declared") functions need"

for name in $(grep -v '^cf_[^_]' <<<"$declared" || true); do
    complain "$name() is public and does not begin with cf_"
done
for name in $(comm -23 <(echo "$declared") <(echo "$exported")); do
    complain "$name() is declared and not exported"
done
for name in $(comm -13 <(echo "$declared") <(echo "$exported")); do
    complain "$name() is exported and in no header"
done
finish
