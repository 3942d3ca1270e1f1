# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the scripts that check what headers refuse. A file has parts:
# #if PART == 1, #elif PART == 2, ... Each of them, alone, does not compile, and
# the compiler says one of the sentences that the part gives in comments such as
# "says: no such thing". The file compiles without any.

# parts FILE: prints the number of each part.
parts() {
    sed -n 's|^#\(el\)\?if PART == ||p' "$1"
}

# sentences_of FILE PART: prints what compilers say, each in its own words.
sentences_of() {
    sed -n "/^#\(el\)\?if PART == $2\$/,/^#e/s|^ */[/*] says: \(.*\)|\1|p" "$1" |
        sed 's| \*/$||'
}

# refuses MOST_ERRORS FILE COMPILER FLAG...: fails for each part that compiles, or
# for which the compiler says something else, or more than so many errors.
refuses() {
    local most=$1 file=$2 part said sentence found
    shift 2
    some "parts of $file" "$(parts "$file")"
    "$@" -DPART=0 "$file" || complain "$file is wrong for $1"
    for part in $(parts "$file"); do
        if said=$(LC_ALL=C "$@" -DPART="$part" "$file" 2>&1); then
            complain "$file: $1 accepts part $part"
            continue
        fi
        found=
        while read -r sentence; do
            if grep -qF -- "$sentence" <<<"$said"; then found=1; fi
        done < <(sentences_of "$file" "$part")
        [ -n "$found" ] || complain "$file: $1 says of part $part: $said"
        [ "$(grep -c 'error:' <<<"$said")" -le "$most" ] ||
            complain "$file: $1 says too much of part $part: $said"
    done
}
