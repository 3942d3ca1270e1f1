#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What scripts/abi calls a change, on versions of a library of three functions:
# rules.sh SOURCE CC.
set -euo pipefail

source=$1 cc=$2
command -v abidiff >/dev/null || {
    echo "abi: abidiff is not installed"
    exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# version NAME EXPRESSION...: the library, changed by sed.
version() {
    local folder=$scratch/$1
    mkdir "$folder"
    sed -E "${@:2}" >"$folder/cup.h" <<'HEADER'
#include <stddef.h>
typedef struct cf_cup cf_cup;
typedef struct cf_cup_options {
    size_t size; /* sizeof(cf_cup_options) */
    int colour;
    long depth;
} cf_cup_options;
typedef struct cf_cup_level {
    long full;
    long left;
} cf_cup_level;
typedef enum cf_cup_kind { CF_CUP_TEA, CF_CUP_COFFEE } cf_cup_kind;
cf_cup *cf_cup_create(const cf_cup_options *options, cf_cup_kind kind);
cf_cup_level cf_cup_ask(cf_cup *cup);
void cf_cup_break(cf_cup *cup);
HEADER
    cat >"$folder/cup.c" <<'CODE'
#include "cup.h"
struct cf_cup { int secret; };
CODE
    sed -nE 's/^([a-z].* \*?)(cf_cup_[a-z]+\(.*\));/\1\2/p' "$folder/cup.h" |
        while read -r head; do
            case $head in
            void*) echo "$head { (void)cup; }" ;;
            cf_cup_level*) echo "$head { (void)cup; return (cf_cup_level){0}; }" ;;
            *) echo "$head { (void)options; (void)kind; return 0; }" ;;
            esac
        done >>"$folder/cup.c"
    if [ "$1" = secret ]; then
        sed -i 's/int secret/long secret[2]/' "$folder/cup.c"
    fi
    "$cc" -g -shared -fPIC "$folder/cup.c" -o "$folder/cup.so"
}

# verdict NAME EXPRESSION...: of that version, compared with the first one.
verdict() {
    version "$@"
    if "$source/scripts/abi" "$scratch/first/cup.so" "$scratch/first" \
        "$scratch/$1/cup.so" "$scratch/$1" >"$scratch/said" 2>&1; then
        echo fine
    else
        echo changed
    fi
}

# expect VERDICT NAME EXPRESSION...
expect() {
    local got
    got=$(verdict "${@:2}")
    if [ "$got" != "$1" ]; then
        cat "$scratch/said"
        echo "abi: $2 is $got, not $1" >&2
        exit 1
    fi
}

version first ''
expect fine same ''
expect fine added '$a void cf_cup_wash(cf_cup *cup);'
expect fine grown 's/long depth;/&\n    int handle;/'
expect fine secret ''
expect changed removed '/cf_cup_break/d'
expect changed parameter 's/break\(cf_cup \*cup/&, int how/'
expect changed moved '/int colour;/d;s/long depth;/&\n    int colour;/'
expect changed shrunk '/long depth;/d'
expect changed narrowed 's/long depth;/int depth;/'
expect changed larger 's/long left;/&\n    long spilt;/'
expect changed renumbered 's/CF_CUP_TEA, CF_CUP_COFFEE/CF_CUP_COFFEE, CF_CUP_TEA/'
