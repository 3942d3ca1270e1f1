#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which files may include and name which: layering.sh BACKEND...
#
#   include/   libc and <cfutures/...>
#   lib/       <cfutures/...> without the backends' headers, "lib/..."
#   a backend  <cfutures/...>, "lib/...", itself
#   a room of these, which is a folder in them: also only itself and the rooms
#              before it; their order stands below
#   event_loop/curl/ <cfutures/...>, itself, lib/base/einval.h
#   samples/, bench/, tests/{component,conformance,stress,support}
#              <cfutures/...>, their own folder, "tests/support/..."; stress programs
#              also lib/executor/check.h
#   tests/unit anything
. "$(dirname "$0")/common.sh"

backends="$*"
sources=$(files c h cpp hpp)
any_backend=$(printf '%s\n' $backends | sort -u | paste -sd '|')

# includes FILE...: each with the names that it includes, with the first quote or
# bracket, a pair in a line.
includes() {
    grep -HoE '^ *# *include *["<][^">]*' "$@" |
        sed -E 's/: *# *include */ /' || true
}

# check_quoted FILE NAME ALLOWED: a quoted name must lead to a file in one of
# the places ALLOWED: from the root; outside of the library also from the
# file's own folder and from the top one.
check_quoted() {
    local dirs=(.) dir found
    case $1 in
    samples/* | bench/* | tests/*) dirs+=("$(dirname "$1")" "${1%%/*}") ;;
    esac
    for dir in "${dirs[@]}"; do
        [ -f "$dir/$2" ] || continue
        found=${dir#.}/$2 found=${found#/}
        [[ $found != *./* ]] || found=$(realpath --relative-to=. "$found")
        [[ $found =~ ^($3)(/|$) ]] || complain "$1 includes $found"
        return
    done
    complain "$1 includes \"$2\", which is not there"
}

# check_folder FOLDER ALLOWED [FORBIDDEN_PUBLIC]
check_folder() {
    local file name list
    [ -d "$1" ] || return 0
    list=$(grep "^$1/" <<<"$sources" || true)
    some "sources in $1" "$list"
    while read -r file name; do
        case $name in
        \"*) check_quoted "$file" "${name#?}" "$2" ;;
        '<lib/'* | '<tests/'* | '<bench/'* | '<samples/'*)
            complain "$file includes $name>"
            ;;
        '<cfutures/'*)
            [ -f "include/${name#<}" ] ||
                complain "$file includes $name>, which does not exist"
            [[ ! ${name#<} =~ ^cfutures/(${3:-/})\.h(pp)?$ ]] ||
                complain "$file includes $name>"
            ;;
        esac
        # shellcheck disable=SC2086 # no file name here has a blank
    done < <(includes $list)
}

# check_rooms FOLDER ALLOWED ROOM...: a room uses itself, the rooms before it and
# the places ALLOWED outside of the folder. There is no other room.
check_rooms() {
    local folder=$1 rooms=$2 room
    [ -d "$folder" ] || return 0
    for room in "${@:3}"; do
        rooms+="${rooms:+|}$folder/$room"
        check_folder "$folder/$room" "$rooms"
    done
    for room in $(cd "$folder" && printf '%s\n' */ | tr -d /); do
        [[ " ${*:3} " == *" $room "* ]] ||
            complain "$folder/$room has no place in the order of rooms"
    done
}

# check_words FOLDER WORDS: no identifier or path there names WORDS.
check_words() {
    local hits
    [ -d "$1" ] || return 0
    hits=$(grep -rnE "(^|[^a-z])($2)" --include='*.[ch]' "$1" || true)
    [ -z "$hits" ] || complain "$1 names a backend:"$'\n'"$hits"
}

check_folder include nothing
check_folder lib lib "cfutures|$any_backend" # the umbrella has all of them
check_rooms lib "" base future executor many sync
for file in $(files c h | grep -E '^lib/[^/]*$' || true); do
    complain "$file is in no room of lib/"
done
check_words lib "$any_backend"
for backend in $(printf '%s\n' $backends | sort -u); do
    others=$(tr '|' '\n' <<<"$any_backend" | grep -vx "$backend" |
        paste -sd '|')
    check_folder "$backend" "lib|$backend" "cfutures|$others"
    check_words "$backend" "$others"
done
check_rooms process_pool lib memory worker zygote
# As a library of others would, but that it says why with CF_DEBUG:
check_folder event_loop/curl 'event_loop/curl|lib/base/einval.h'
check_folder samples samples
check_folder bench bench
check_folder tests/support tests/support
check_folder tests/samples 'tests/samples|tests/support'
check_folder tests/component tests/support
check_folder tests/conformance 'tests/conformance|tests/support'
check_folder tests/stress 'tests/stress|tests/support|lib/executor/check.h'
finish
