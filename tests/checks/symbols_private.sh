#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What libcfutures exports with CF__EXPORT is just what its components use:
# symbols_private.sh NM LIBRARY COMPONENT...
. "$(dirname "$0")/common.sh"

nm=$1 library=$2
shift 2

# private NM_ARG... FILE...: "name@version" for each name of a private version.
private() {
    "$nm" -D --with-symbol-versions "$@" |
        sed -nE 's/^.* ([^ @]+)@@?(CFUTURES_PRIVATE_.*)$/\1@\2/p' |
        sort -u
}

exported=$(private --defined-only "$library")
some "private symbols" "$exported"
used=$(private --undefined-only "$@")
for name in $(comm -23 <(echo "$exported") <(echo "$used")); do
    complain "${name%@*} is marked CF__EXPORT, and no component uses it"
done
for name in $(comm -13 <(echo "$exported") <(echo "$used")); do
    complain "$name is used, and libcfutures does not have it"
done
version=$(sed -nE 's/^#define CF_VERSION_STRING "(.*)"/\1/p' \
    include/cfutures/base.h)
for name in $exported; do
    [ "${name#*@}" = "CFUTURES_PRIVATE_$version" ] ||
        complain "$name is not of release $version"
done
finish
