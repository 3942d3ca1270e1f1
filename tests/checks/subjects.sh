#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Subjects of the commits that main does not have yet: "area: what is new", at
# most 60 characters.
. "$(dirname "$0")/common.sh"

if ! git rev-parse -q --verify main >/dev/null 2>&1; then
    echo "subjects: there is no branch main here"
    exit 77
fi
while IFS= read -r subject; do
    [[ $subject =~ ^[a-z_./,\ ]+:\ [^\ ] ]] || complain "no area: $subject"
    [ ${#subject} -le 60 ] ||
        complain "${#subject} characters, not 60: $subject"
done < <(git log --no-merges --format=%s main..HEAD)
finish
