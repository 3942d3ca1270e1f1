#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The dynamic linker refuses the event loop's library beside a libcfutures of
# another release, and says so: other_release.sh LOAD LIBRARY LOOP RELEASE
set -euo pipefail

load=$1 library=$2 loop=$3 release=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A libcfutures with the same public functions, whose release is another one.
other=${release//[0-9]/9}
[ "$other" != "$release" ]
sed "s/CFUTURES_PRIVATE_${release//./\\.}/CFUTURES_PRIVATE_$other/" \
    "$library" >"$scratch/$(basename "$library")"
if cmp -s "$library" "$scratch/$(basename "$library")"; then exit 1; fi

export LD_LIBRARY_PATH=$scratch
if said=$("$load" "$loop" 2>&1); then
    echo "other_release: the two releases were loaded together" >&2
    exit 1
fi
echo "$said"
grep "CFUTURES_PRIVATE_$release' not found (required by .*libcfutures_loop" \
    <<<"$said" >/dev/null
