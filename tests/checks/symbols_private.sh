#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What libcfutures exports with CF__EXPORT is just what the sources of its
# components use: symbols_private.sh CC NM LIBRARY FLAG... SOURCE...
#
# The components' own objects would not tell: an optimiser drops the branches of
# inline functions that are never taken, and with them some names. So this
# compiles the sources again, without one, with assertions, and also as for
# ThreadSanitizer.
. "$(dirname "$0")/common.sh"

cc=$1 nm=$2 library=$3
shift 3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

flags=(-std=gnu11 -O0 -fPIC -D_GNU_SOURCE -DCF_ASSERTIONS -Iinclude -I.)
while [[ ${1:-} == -* ]]; do
    flags+=("$1")
    shift
done
for source in "$@"; do
    name=$scratch/${source//\//_}
    "$cc" "${flags[@]}" -c "$source" -o "$name.o"
    "$cc" "${flags[@]}" -D__SANITIZE_THREAD__ -c "$source" -o "$name.tsan.o"
done
used=$("$nm" -u "$scratch"/*.o | grep -oE 'cf__[A-Za-z0-9_]+$' | sort -u)
own=$("$nm" --defined-only "$scratch"/*.o | grep -oE 'cf__[A-Za-z0-9_]+$' |
    sort -u)
used=$(comm -23 <(echo "$used") <(echo "$own"))
some "private names" "$used"

version=$(sed -nE 's/^#define CF_VERSION_STRING "(.*)"/\1/p' \
    include/cfutures/base.h)
exported=$("$nm" -D --defined-only --with-symbol-versions "$library" |
    sed -nE "s/^.* (cf__[^ @]+)@@CFUTURES_PRIVATE_${version//./\\.}$/\1/p" |
    sort -u)
for name in $(comm -23 <(echo "$exported") <(echo "$used")); do
    complain "$name is marked CF__EXPORT, and no component uses it"
done
for name in $(comm -13 <(echo "$exported") <(echo "$used")); do
    complain "$name is used by a component, and not marked CF__EXPORT"
done
finish
