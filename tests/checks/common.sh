# SPDX-License-Identifier: MIT
# Sourced by the checks, which run in the root of the source tree.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C

failures=0

# complain TEXT: notes one broken rule; finish() then fails.
complain() {
    printf '%s: %s\n' "$(basename "$0" .sh)" "$*"
    failures=$((failures + 1))
}

finish() {
    [ "$failures" -eq 0 ] || exit 1
}

# files EXTENSION...: the project's own files, one per line. Not from git, so
# that an unpacked archive can be checked too.
files() {
    local extension
    for extension in "$@"; do
        find . \( -name .git -o -path './build*' \) -prune \
            -o -type f -name "*.$extension" -print
    done | sed 's|^\./||' | sort
}

# some NAME LIST: guards against a check that looks at nothing.
some() {
    [ -n "$2" ] || complain "found no $1 to look at"
}

# public_functions HEADER...: what they declare with CF_API, sorted.
public_functions() {
    local found marked
    found=$(cat "$@" | grep -v '^#' | tr '\n' ' ' | sed 's/CF_API/\n&/g' |
        sed -nE 's/^CF_API[^(]*[ *]([A-Za-z0-9_]+)\(.*/\1/p' | sort -u)
    marked=$(cat "$@" | grep -c '^CF_API')
    if [ "$(wc -l <<<"$found")" -ne "$marked" ]; then
        complain "found $(wc -l <<<"$found") functions of $marked in $*" >&2
        return 1
    fi
    echo "$found"
}
