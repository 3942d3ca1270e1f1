#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# In an installed tree, `man 3 NAME` finds every name that a public header
# declares, and shows the page without a warning; by man-db and by mandoc, of
# which one has to be there: installed.sh PYTHON CMAKE BUILD, in the root of the
# source tree.
. tests/checks/common.sh

python=$1 cmake=$2 build=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export MANWIDTH=80
unset MANPATH MANOPT MANPAGER

# ask PROGRAM ARG...: what it says is in the file `said`, with an answer or not.
# It must not complain.
ask() {
    local status=0
    "$@" </dev/null >"$folder/said" 2>"$folder/complaints" || status=$?
    [ ! -s "$folder/complaints" ] ||
        complain "${*:1:6}: $(head -3 "$folder/complaints")"
    [ "$status" -eq 0 ] || complain "${*:1:6} ends with $status"
}

# shows PROGRAM NAME PAGE TEXT [VOLUME]: the page that is found by that name is
# this one, and says what the text is for.
shows() {
    local program=$1 name=$2 page=$3 text=$4 volume=${5:-3} section
    ask "$program" -M "$man" "$volume" "$name"
    # Without the bold face, which is a character over itself.
    sed 's/.\x08//g' "$folder/said" >"$folder/plain"
    grep -A1 '^NAME$' "$folder/plain" |
        grep "^ *$page - $text" >/dev/null ||
        complain "$program $volume $name has the name" \
            "$(grep -A1 '^NAME$' "$folder/plain" | tail -1)"
    for section in SYNOPSIS DESCRIPTION 'SEE ALSO'; do
        grep -q "^$section\$" "$folder/plain" ||
            complain "$program $volume $name has no $section"
    done
}

"$cmake" --install "$build" --prefix "$folder/prefix" >"$folder/installed"
man=$folder/prefix/share/man
[ -d "$man/man3" ] || {
    complain "no manual is installed: is the target cfutures_man built?"
    finish
}
# What is not for a component that was left out.
names=$("$python" - "$folder/prefix/include/cfutures" <<'PYTHON'
import pathlib, re, sys
names = set()
for path in pathlib.Path(sys.argv[1]).glob("*.h"):
    code = re.sub(r"/\*.*?\*/|\"[^\"\n]*\"", "", path.read_text(),
                  flags=re.DOTALL)
    names |= set(re.findall(r"\b(?:cf_[a-z]|CF_[A-Z])\w*", code))
print("\n".join(sorted(names)))
PYTHON
)
for name in cf_submit cf_task cf_future CF_FOREVER CF_EINVAL CF_QUEUE_BLOCK; do
    grep -qx $name <<<"$names" || complain "$name is not looked for"
done

# mandoc's man complains if there is no list of the pages.
! command -v makewhatis >/dev/null || ask makewhatis "$man"

tried=0
for program in man mman; do
    command -v $program >/dev/null || continue
    tried=$((tried + 1))
    # shellcheck disable=SC2086 # one word a name
    ask $program -M "$man" -w 3 $names
    if [ "$(wc -l <"$folder/said")" -ne "$(wc -l <<<"$names")" ]; then
        complain "$program finds $(wc -l <"$folder/said") pages" \
            "for $(wc -l <<<"$names") names"
    fi
    shows $program cf_submit cf_submit 'schedules a task'
    shows $program cf_task cf_task 'everything about one task'
    shows $program CF_TASK cfutures-submit 'cfutures/submit.h, an overview'
    shows $program CF_QUEUE_REJECT cf_queue_policy 'what a submit does'
    shows $program CF_FOREVER cfutures-base 'cfutures/base.h, an overview'
    shows $program CF_ECANCELED cfutures-error \
        'cfutures/error.h, an overview'
    shows $program cfutures-executor cfutures-executor \
        'cfutures/executor.h, an overview' 7
    shows $program cfutures cfutures "Python's" 7
    if "$program" -M "$man" -w 3 cf_no_such_call >/dev/null 2>&1; then
        complain "$program finds what does not exist"
    fi
done
[ $tried -gt 0 ] || {
    echo "installed: there is neither man (man-db) nor mman (mandoc)"
    exit 77
}

# Every page, by what man-db's man shows them with. A line that is stretched to
# the margin has wide gaps, which is no fault.
if command -v groff >/dev/null; then
    # shellcheck disable=SC2046 # no blanks in these names
    ask groff -man -Tascii -ww -Wbreak -z $(find "$man" -name '*.[37]' -type f)
fi

# By what a page is about. mandb also says which NAME it cannot read.
if command -v mandb >/dev/null; then
    ask mandb --create --quiet "$man"
    ask whatis -M "$man" cf_submit
    grep -q '^cf_submit (3) .*schedules a task' "$folder/said" ||
        complain "whatis says '$(cat "$folder/said")'"
    ask apropos -M "$man" 'schedules a task'
    grep -q '^cf_submit (3)' "$folder/said" ||
        complain "apropos says '$(cat "$folder/said")'"
fi
finish
