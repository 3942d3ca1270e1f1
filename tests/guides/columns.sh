#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Compiles the code blocks of one page of docs/coming-from/: left, right, left,
# and so on: columns.sh NAME CC [CXX], in the root of the source tree. <NAME>.h
# comes before each block on the left, cfutures.h before each on the right.
. tests/checks/common.sh

guide=$1 cc=$2 cxx=${3:-}
page=docs/coming-from/$guide.md
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

skip() {
    echo "$guide: $*"
    exit 77
}

# The files are 01.c, 02.py, ...: the word behind ``` is the ending.
awk -v folder="$folder" '
    /^```[a-z]/ {
        ending = substr($0, 4)
        sub("python", "py", ending)
        file = sprintf("%s/%02d.%s", folder, ++count, ending)
        next
    }
    /^```/ { file = ""; next }
    file { print > file }' "$page"
rows=$(grep -c '^<tr><td>$' "$page")
blocks=("$folder"/*)
[ "$rows" -ge 5 ] || complain "$page has $rows rows"
[ ${#blocks[@]} -eq $((2 * rows)) ] ||
    complain "$page has ${#blocks[@]} blocks in $rows rows"

flags=(-fsyntax-only -Wall -Wextra -Werror -Wno-unused-parameter)
left=("$cc")
case $guide in
openmp) left+=(-fopenmp) ;;
onetbb) left=("$cxx" -std=c++17 -x c++) ;;
glib)
    # shellcheck disable=SC2207 # flags are several words
    left+=($(pkg-config --cflags gio-unix-2.0 2>/dev/null)) || true
    ;;
python) left=(python3) ;;
esac
if [ "$guide" = python ]; then
    command -v python3 >/dev/null || skip "python3 is not installed"
else
    [ -n "${left[0]}" ] || skip "there is no compiler for it"
    "${left[@]}" -fsyntax-only "tests/guides/$guide.h" 2>/dev/null ||
        skip "it is not installed"
fi

for block in "${blocks[@]}"; do
    number=$(basename "${block%.*}")
    case $((10#$number % 2)):$block in
    1:*.py)
        python3 -c 'import sys; compile(open(sys.argv[1]).read(), *sys.argv[1:],
                                        "exec")' "$block"
        ;;
    1:*)
        "${left[@]}" "${flags[@]}" -include "tests/guides/$guide.h" "$block"
        ;;
    0:*.c)
        "$cc" "${flags[@]}" -Wunused-parameter -Wconversion -Iinclude \
            -include tests/guides/cfutures.h "$block"
        ;;
    *) false ;;
    esac || complain "$page: block $number does not compile"
done
finish
