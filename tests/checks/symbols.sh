#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A shared library exports exactly what its headers declare with CF_API, all of
# it beginning with cf_, in the symbol version of the minor release:
# symbols.sh NM LIBRARY HEADER...
#
# cfutures.h stands for the headers that it includes. What is exported in a
# private symbol version is for symbols_private to look at.
. "$(dirname "$0")/common.sh"

nm=$1 library=$2
shift 2

headers=()
for header in "$@"; do
    if [ "$header" = cfutures.h ]; then
        mapfile -t -O ${#headers[@]} headers < <(
            sed -nE 's|^#include <(cfutures/.*)>|include/\1|p' \
                include/cfutures/cfutures.h)
    else
        headers+=("include/cfutures/$header")
    fi
done
release=$(sed -nE 's/^#define CF_VERSION_STRING "(.*)\.[^.]*"/\1/p' \
    include/cfutures/base.h)
exported=$("$nm" -D --defined-only --with-symbol-versions "$library" |
    awk '$2 != "A" && $NF !~ /@@CFUTURES_PRIVATE_/ { print $NF }' |
    sed "s/@@CFUTURES_${release//./\\.}$//" | sort)
some "exported symbols" "$exported"
declared=$(public_functions "${headers[@]}")
some "declarations" "$declared"

for name in $(grep -v '^cf_[^_]' <<<"$declared" || true); do
    complain "$name() is public and does not begin with cf_"
done
for name in $(comm -23 <(echo "$declared") <(echo "$exported")); do
    complain "$name() is declared and not exported"
done
for name in $(comm -13 <(echo "$declared") <(echo "$exported")); do
    complain "$name() is exported and in none of" "${headers[@]}"
done
finish
