#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: thumbnails.sh THUMBNAILS PICTURES SPEC...
# Thumbnails have the sizes and the content of known pictures, on every
# executor; what is no picture costs a line; Ctrl-C leaves nothing half written.
set -eu
. "$(dirname "$0")/command.sh"
program=$1 pictures=$2
shift 2
first=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p tree/a/b

# good COMMAND: COMMAND FILE SIZE CHANNELS EXPECTED_SIZE DECIBELS for each. JPEG
# files lose some.
good() {
    $1 tree/wide.jpg 1000x700 3 256x179 36
    $1 tree/a/large.JPEG 2600x1300 3 256x128 36
    $1 tree/a/b/gray.jpeg 300x900 1 85x256 36
    $1 tree/small.jpg 100x80 3 100x80 18
    $1 tree/line.jpg 1x2000 1 1x256 36
    $1 tree/a/color.png 777x1100 3 181x256 40
    $1 tree/a/b/clear.png 600x520 4 256x222 40
    $1 tree/gray.png 512x512 1 256x256 40
}
make() {
    "$pictures" make "$1" "$2" "$3"
}
# The folder "thumbs" has what is expected. A picture as small as its thumbnail
# keeps its pattern.
check() {
    "$pictures" check "thumbs/${1#tree/}" "$4" "$3" "$5"
}
good make
cp tree/wide.jpg 'tree/a/b/it is "quoted".jpg'
echo text >tree/a/notes.txt

for spec in "$@"; do
    rm -rf thumbs
    "$program" -e "$spec" -o thumbs tree >out 2>err
    test ! -s err
    test "$(cat out)" = '9 thumbnails in thumbs, 0 errors'
    good check
    cmp thumbs/wide.jpg 'thumbs/a/b/it is "quoted".jpg'
    test "$(find thumbs -type f | wc -l)" -eq 9
    test "$(stat -c %a thumbs/wide.jpg)" = "$(stat -c %a tree/wide.jpg)"
    rm -rf "thumbs.$spec"
    mv thumbs "thumbs.$spec"
    diff -r "thumbs.$1" "thumbs.$spec"
done
cp -r "thumbs.$1" thumbs
# The check does check: another content, size, place.
for arguments in 'thumbs/gray.png 256x256 1 70' 'thumbs/gray.png 256x255 1 1' \
    'tree/gray.png 512x512 1 30' 'thumbs/small.jpg 100x80 3 30'; do
    if "$pictures" check $arguments >out 2>err; then exit 1; fi
done

# Names, and what is there already. Nothing of the output is taken as input.
mkdir flat
"$program" -e $first -o flat -s 64 tree/wide.jpg tree/a/b/ >out
"$pictures" check flat/wide.jpg 64x45 3 25 >out
"$pictures" check flat/clear.png 64x55 4 30 >out
test "$(ls flat | wc -l)" -eq 4
cp tree/wide.jpg tree/kept
"$program" -e $first -o tree/out tree/kept >out
cmp tree/out/kept thumbs/wide.jpg
rm -rf tree/out tree/kept
cp -r tree inside
"$program" -e $first -o inside/thumbs inside >out
"$program" -e $first -f -o inside/thumbs inside >out
diff -r inside/thumbs thumbs

# reported LINE ARGUMENT...: exit status 1; LINE is the report; a good picture
# is done besides.
reported() {
    line=$1 status=0
    shift
    rm -rf good
    "$program" -e $first -o good tree/wide.jpg "$@" >out 2>err || status=$?
    test $status -eq 1
    test "$(cat err)" = "thumbnails: $line"
    cmp good/wide.jpg thumbs/wide.jpg
}
mkdir bad
head -c 30000 tree/wide.jpg >bad/cut.jpg
head -c 3000 tree/a/color.png >bad/cut.png
{
    head -c 2000 tree/gray.png
    head -c 100 /dev/zero
    tail -c +2101 tree/gray.png
} >bad/changed.png
echo text >bad/text.jpg
: >bad/empty.png
printf '\377\330\377' >bad/begin.jpg
mkfifo pipe
status=0
"$program" -e $first -o thumbs.bad bad tree/wide.jpg >out 2>err || status=$?
test $status -eq 1
cmp thumbs.bad/wide.jpg thumbs/wide.jpg
test "$(ls thumbs.bad | wc -l)" -eq 1
cat err
test "$(wc -l <err)" -eq 6
for name in cut.jpg cut.png changed.png text.jpg empty.png begin.jpg; do
    test "$(grep -c "^thumbnails: bad/$name: " err)" -eq 1
done
test "$(cat out)" = '1 thumbnails in thumbs.bad, 6 errors'
reported 'missing.jpg: No such file or directory' missing.jpg
reported 'bad/text.jpg: neither JPEG nor PNG' bad/text.jpg
reported 'tree/wide.jpg: good/wide.jpg: is that of another picture' \
    inside/wide.jpg
"$pictures" make huge.png 3000x2000 4
for spec in "$@"; do
    reported 'huge.png: 3000x2000 pixels need more memory than it may have' \
        -m 20 -e "$spec" huge.png
done
status=0
"$program" -e $first -o inside inside/wide.jpg >out 2>err || status=$?
test $status -eq 1
test "$(cat err)" = \
    'thumbnails: inside/wide.jpg: inside/wide.jpg: is there already'
status=0
"$program" -e $first -f -o inside inside/wide.jpg >out 2>err || status=$?
test $status -eq 1
test "$(cat err)" = \
    'thumbnails: inside/wide.jpg: inside/wide.jpg: is the picture itself'
cmp inside/wide.jpg tree/wide.jpg
status=0
"$program" -e $first -o tree/wide.jpg tree/a >out 2>err || status=$?
test $status -eq 1
test "$(grep -c ': Not a directory$' err)" -eq "$(wc -l <err)"

exactly 'thumbnails: give a file or a folder'
exactly 'thumbnails: --size 0: not 1 to 4096' -o none -s 0 tree
exactly 'thumbnails: --memory x: not 1 to 1048576' -o none -m x tree
exactly 'thumbnails: --timeout: not a time, such as 1.5s' -o none -t 5 tree
exactly 'thumbnails: --output: no name' -o '' tree
specs=$("$program" -e bogus tree 2>&1 | sed -n '1s/.*none of: //p')
exactly "thumbnails: --executor: 'bogus' is none of: $specs" \
    -o none -e bogus tree
test ! -e none
"$program" --help | grep -q '^usage: thumbnails '

# On a terminal there is progress, and the line of a bad file is whole.
if command -v script >/dev/null; then
    command="'$program' -e $first -f -o thumbs tree bad/text.jpg"
    script -q -c "$command" /dev/null >screen </dev/null
    escape=$(printf '\033')
    tr '\r' '\n' <screen | sed "s/$escape\[K//" >lines
    grep -qx ' 50%  5/10 pictures' lines
    grep -qx 'thumbnails: bad/text.jpg: neither JPEG nor PNG' lines
    grep -qx '9 thumbnails in thumbs, 1 errors' lines
fi

# Ctrl-C, when the first thumbnail is there: the others of it are whole.
"$pictures" make big.jpg 3000x2000 3
mkdir many
i=0
while [ $i -lt 400 ]; do
    ln big.jpg many/$i.jpg
    i=$((i + 1))
done
for spec in "$@"; do
    rm -rf stopped
    env --default-signal=INT "$program" -e "$spec" -o stopped many \
        >out 2>err &
    interrupt $! 'ls stopped/*.jpg'
    test ! -s err
    grep -q '^[0-9]* thumbnails in stopped, 0 errors$' out
    test -z "$(ls stopped | grep -v '\.jpg$' || true)"
    for file in stopped/*.jpg; do
        "$pictures" check "$file" 256x171 3 31 >out
    done
done
