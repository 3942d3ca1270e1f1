#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: csv2sqlite.sh CSV2SQLITE SPEC...
# sqlite3 finds in the table what it imports itself from the same file, on every
# executor; bad rows are named; Ctrl-C leaves the database as it was.
set -eu
. "$(dirname "$0")/command.sh"
program=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
LC_ALL=C
export LC_ALL

# sql STATEMENT: of the database $db.
sql() {
    sqlite3 -batch -bail "$db" "$1"
}

# Some pieces of a MiB; in quotes there are commas, quotes and line feeds, so
# that most lines are no whole rows. One row has so many of them that the first
# MiB ends in it.
awk 'BEGIN {
    srand(7)
    print "id,name,\"pri,ce\",note,empty"
    for (lines = "\n"; length(lines) < 700000;)
        lines = lines lines
    for (i = 1; i <= 30000; i++) {
        note = sprintf("row %d", i)
        for (n = int(rand() * 40); n > 0; n--)
            note = note substr("\n,x\"\"\n y\"\"", 1 + 3 * int(rand() * 3), 3)
        if (i == 5000)
            note = note substr(lines, 1, 700000)
        gsub(/"+/, "\"\"", note)
        printf "%d,%s,%.2f,\"%s\",%s\n", i, (i % 3 ? "plain" : "\"quo,ted\""),
            i % 1000 + 0.25, note, (i % 2 ? "" : "\"\"")
    }
}' >large.csv
test "$(wc -c <large.csv)" -gt 2500000
db=theirs
sqlite3 -batch theirs '.import --csv large.csv data'
test "$(sql 'SELECT count(*), sum(id) FROM data')" = '30000|450015000'
for spec in "$@"; do
    db=$spec.db
    "$program" -e "$spec" "$db" large.csv >out
    test "$(sql 'SELECT count(*), sum(id), sum("pri,ce") FROM data')" = \
        '30000|450015000|14992500.0'
    diff - out <<'END'
30000 rows
id: 30000 numbers, sum 450015000
pri,ce: 30000 numbers, sum 14992500
END
    sql "ATTACH 'theirs' AS t;
        CREATE TEMP VIEW ours AS
            SELECT CAST(id AS TEXT) AS id, name, printf('%.2f', \"pri,ce\"),
                note, ifnull(empty, '') FROM data;
        SELECT * FROM ours EXCEPT SELECT * FROM t.data;
        SELECT * FROM t.data EXCEPT SELECT * FROM ours;" >differences
    test ! -s differences
    test "$(sql 'SELECT count(*) FROM data
                 WHERE (empty IS NULL) = (id % 2)')" -eq 30000

    # It is there already; with --force it is replaced.
    status=0
    "$program" -e "$spec" "$db" large.csv >out 2>err || status=$?
    test $status -eq 1
    test "$(cat err)" = \
        'csv2sqlite: large.csv: table "data" already exists'
    printf 'a\n1\n2\n' | "$program" -e "$spec" -f "$db" >out
    test "$(cat out)" = "$(printf '2 rows\na: 2 numbers, sum 3')"
    test "$(sql 'SELECT count(*), sum(a) FROM data')" = '2|3'

    # Only what is written as a number is one, and no digit is lost.
    printf '%s\n' v,t 0,integer -5,integer 9223372036854775807,integer \
        9223372036854775807,integer 9223372036854775808,text 007,text \
        -,text 1.,text .5,text +1,text 0x10,text 1e,text nan,text \
        1.5,real 1e3,real -0.25E-2,real 1e999,text '"12",integer' '"",text' \
        ,null >values
    "$program" -e "$spec" -t values "$db" values >out
    test -z "$(sql 'SELECT * FROM "values" WHERE typeof(v) <> t')"
    test "$(sql 'SELECT count(*) FROM "values"')" -eq 20
    grep -v ,real values >whole
    "$program" -e "$spec" -f -t 'a "table"' "$db" whole >out
    grep -qx 'v: 5 numbers, sum 1.84467440737096e+19' out
    printf 'v\n9223372036854775807\n-9223372036854775807\n-3\n' |
        "$program" -e "$spec" -f "$db" | grep -qx 'v: 3 numbers, sum -3'
done

# What is bad is named, and the rest is stored: the row after a bad one begins
# behind the line feed that follows. $spec is the last of them.
db=bad.db
{
    printf 'a,b\n1,2\n3\n4,5,6\n7,"8"x\n9,1"0\n\n11,"12\n13,"14"\n15,\377\n'
    printf '16,\000\n17,"1\n8"\n19,\303\244\n20,21'
} >bad
status=0
"$program" -e "$spec" "$db" bad >out 2>err || status=$?
test $status -eq 1
sort -t : -k 2n err | diff - /dev/fd/4 4<<'END'
bad:3: too few fields
bad:4: too many fields
bad:5: a quote where none may be
bad:6: a quote where none may be
bad:8: a quote where none may be
bad:10: not UTF-8
bad:11: not UTF-8
END
test "$(sql 'SELECT group_concat(a) FROM (SELECT a FROM data ORDER BY a)')" = \
    '1,13,17,19,20'
test "$(sql 'SELECT hex(b) FROM data WHERE a IN (17, 19)')" = \
    "$(printf '310A38\nC3A4')"

# A quote that is not closed for more than a MiB, and a line that is longer.
{
    printf 'a,b\n1,"open\n'
    awk 'BEGIN { for (i = 1; i <= 150000; i++) print i ",2" }'
    printf '3,'
    head -c 1200000 /dev/zero | tr '\0' x
    printf '\n4,5\n6,"never'
} >open
status=0
"$program" -f "$db" open >out 2>err || status=$?
test $status -eq 1
sort -t : -k 2n err | diff - /dev/fd/4 4<<'END'
open:2: a quote that is not closed
open:150003: longer than 1 MiB
open:150005: a quote that is not closed
END
test "$(sql 'SELECT count(*), sum(a), sum(b) FROM data')" = \
    '150001|11250075004|300005'

# Not even names are taken from the row after a header that is too long.
{
    head -c 1200000 /dev/zero | tr '\0' x
    printf '\n1,2\n3,4\n'
} >wide
status=0
"$program" -f "$db" wide >out 2>err || status=$?
test $status -eq 1
test "$(cat err)" = 'wide:1: longer than 1 MiB'

# Windows: a mark at the beginning, CR at the ends of lines. Several files; one
# with other columns, one that is missing and one that is empty are left out.
printf '\357\273\277a,b\r\n1,"2"\r\n\r\n3,4\r\n' >windows
printf 'a,c\r\n100,100\r\n' >other
: >empty
status=0
"$program" -f "$db" windows other none empty windows . >out 2>err ||
    status=$?
test $status -eq 1
diff - err <<'END'
csv2sqlite: other: its columns are not those of the first file
csv2sqlite: none: No such file or directory
csv2sqlite: empty: has no header
csv2sqlite: .: Is a directory
END
test "$(sql 'SELECT count(*), sum(a), sum(b) FROM data')" = '4|8|12'
printf 'a,b' | "$program" -f "$db" | grep -qx '0 rows'

# header MESSAGE HEADER: no table can be made of it.
header() {
    status=0
    printf '%b' "$2" >header.csv
    "$program" -t none "$db" header.csv >out 2>err || status=$?
    test $status -eq 1
    test "$(cat err)" = "csv2sqlite: header.csv: $1"
    test -z "$(sql "SELECT name FROM sqlite_schema WHERE name = 'none'")"
}
header 'a column has no name' 'a,,b\n1,2,3\n'
header 'a column has no name' '\n'
header 'too many columns on none' "$(seq 3000 | tr '\n' ,)1"
header 'duplicate column name: a' 'a,b,a\n1,2,3\n'
header 'the name of a column is not UTF-8' 'a,\377\n'
header 'a quote where none may be' 'a,b"\n'
header 'a quote that is not closed' 'a,"b\n'
header "a column is called _rowid_, as the database's own" '_ROWID_\n'

wrong 'the name of a database is missing'
wrong 'the name of a database is missing' :memory: large.csv
wrong "'bogus' is none of: inline" -e bogus "$db"
wrong bogus --bogus
"$program" --help | grep -q '^usage: csv2sqlite '
status=0
"$program" no/such/file large.csv 2>err || status=$?
test $status -eq 1
test "$(cat err)" = 'csv2sqlite: no/such/file: unable to open database file'
status=0
"$program" large.csv windows 2>err || status=$?
test $status -eq 1
test "$(cat err)" = 'csv2sqlite: large.csv: file is not a database'
fills -f "$db" windows

# Progress is there on a terminal, and only there.
if command -v script >/dev/null; then
    script -q -e -c "'$program' -f '$db' large.csv >out" /dev/null \
        >screen </dev/null
    grep -q 'large.csv: [0-9]* rows, [0-9]*%' screen
    "$program" -f "$db" large.csv >out 2>err
    test ! -s err
fi

# Ctrl-C while it reads from a pipe that stays open. The pipe holds less than
# what was written when "fed" is there.
for spec in "$@"; do
    db=$spec.db
    sql 'DROP TABLE data; CREATE TABLE data (old); INSERT INTO data VALUES (7)'
    feed large.csv
    env --default-signal=INT "$program" -e "$spec" -f "$db" <pipe >out &
    interrupt $! 'test -e fed'
    stop_feeding
    test "$(sql 'SELECT old FROM data')" -eq 7
done
