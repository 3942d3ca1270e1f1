#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# No files of one folder use each other in a circle: cycles.sh NM OBJECT...
#
# OBJECT is PATH/cfutures_objects.dir/FOLDER/FILE.c.o of the library's objects, or
# PATH/FOLDER/CMakeFiles/TARGET.dir/FILE.c.o of a component's. A file uses another one when it names a function or a variable that the other one
# defines. An inline function of a header belongs to the files that include it.
. "$(dirname "$0")/common.sh"

nm=$1
shift

# The honest exceptions, "user definer symbol": a thread that a file starts
# enters its worker's main function, which uses the file that started it.
exceptions='
thread_pool/start thread_pool/worker cf__threads_worker_main
'

# symbols OBJECT...: "folder/file.c.o:", type and name of each global symbol.
symbols() {
    "$nm" -A -g "$@" | sed -E 's|^.*/cfutures_objects\.dir/||
        s|^.*/([^/]+)/CMakeFiles/[^/]+\.dir/|\1/|
        s|^\./||' |
        awk '{ sub(/\.c\.o:.*/, "", $1); print $1, $(NF - 1), $NF }'
}

# uses FOLDER: "user definer symbol" for the files of that folder, from symbols.
uses() {
    awk -v folder="$1" -v exceptions="$exceptions" '
        BEGIN {
            count = split(exceptions, lines, "\n")
            for (i = 1; i <= count; i++)
                excepted[lines[i]] = 1
        }
        { place = $1; sub(/\/[^\/]*$/, "", place) }
        place != folder { next }
        $2 == "U" { users[$3] = users[$3] " " $1; next }
        { definer[$3] = $1 }
        END {
            for (symbol in users) {
                if (!(symbol in definer))
                    continue
                count = split(users[symbol], files, " ")
                for (i = 1; i <= count; i++) {
                    use = files[i] " " definer[symbol] " " symbol
                    if (!(use in excepted))
                        print use
                }
            }
        }' | sort
}

# circle: fails if the "user definer symbol" lines have circles, and prints the
# files in them, one per line.
circle() {
    cut -d' ' -f1,2 | tsort 2>&1 >/dev/null |
        sed -nE 's/^tsort: ([^ :]*\/[^ :]*)$/\1/p'
}

all=$(symbols "$@")
folders=$(cut -d' ' -f1 <<<"$all" | sed 's|/[^/]*$||' | sort -u)
some folders "$folders"
for folder in $folders; do
    found=$(uses "$folder" <<<"$all")
    if ! files=$(circle <<<"$found"); then
        complain "files of $folder use each other in a circle:"$'\n'"$(
            awk 'NR == FNR { inside[$1] = 1; next }
                $1 in inside && $2 in inside {
                    print "    " $1 " uses " $3 " of " $2
                }' <(echo "$files") - <<<"$found"
        )"
    fi
done
finish
