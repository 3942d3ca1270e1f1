#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each public function has a manual page that says what it should, mandoc has
# nothing to say of any page, and no link of the web site leads nowhere:
# pages.sh PYTHON, in the root of the source tree.
. tests/checks/common.sh

python=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" tools/manual/manual.py man "$folder/man"
"$python" tools/manual/manual.py man --gzip "$folder/gz"
"$python" tools/manual/manual.py site "$folder/site"

# titles PAGE: its sections, in one line.
titles() {
    sed -nE 's/^\.SH (.*)/\1/p' "$1" | paste -sd, -
}

functions=$(public_functions include/cfutures/*.h)
some functions "$functions"
for name in $functions; do
    page=$folder/man/man3/$name.3
    if [ ! -s "$page" ]; then
        complain "$name() has no page"
        continue
    fi
    [[ $(titles "$page") =~ ^NAME,SYNOPSIS,DESCRIPTION,.*SEE\ ALSO$ ]] ||
        complain "$name.3 has the sections $(titles "$page")"
    grep -qF "$name \\- " "$page" || complain "$name.3 has another name"
done

page=$folder/man/man3/cf_submit.3
[ "$(titles "$page")" = "NAME,SYNOPSIS,DESCRIPTION,RETURN VALUE,ERRORS,\
OWNERSHIP,THREADS,BLOCKING,MEMORY ORDERING,FORK,PYTHON,SEE ALSO" ] ||
    complain "cf_submit.3 has the sections $(titles "$page")"
for text in 'fBCF_ESHUTDOWN' '^#include <cfutures/cfutures.h>' \
    'fBcf_executor_shutdown\\fP(3) has begun' '^cf_err cf_submit(cf_exec'; do
    grep -q "$text" "$page" || complain "cf_submit.3 has no '$text'"
done
[ -s "$folder/man/man3/cf_task.3" ] || complain "cf_task has no page"
grep -qF 'pkg\-config cfutures\-curl' "$folder/man/man7/cfutures-curl.7" ||
    complain "cfutures-curl.7 does not say what to link"

if command -v mandoc >/dev/null; then
    said=$(find "$folder/man" -type f -exec mandoc -T lint -W warning {} + ||
        true)
    [ -z "$said" ] || complain "mandoc: $said"
fi
if command -v man >/dev/null && man -l "$page" >"$folder/shown" 2>&1; then
    grep -q 'schedules a task' "$folder/shown" ||
        complain "man does not show cf_submit.3"
fi
zcat "$folder/gz/man3/cf_submit.3.gz" | cmp - "$page" ||
    complain "cf_submit.3.gz is something else"

# href and id of all pages.
"$python" - "$folder/site" <<'PYTHON' || complain "the web site has such links"
import pathlib, re, sys
pages = {path.name: path.read_text()
         for path in pathlib.Path(sys.argv[1]).glob("*.html")}
links, dead = 0, 0
for name, text in pages.items():
    for target in re.findall(r'href="([^"]*)"', text):
        if re.match(r"\w+:", target):
            continue
        links += 1
        page, _, fragment = target.removeprefix("./").partition("#")
        page = page or name
        if page not in pages or (
                fragment and 'id="%s"' % fragment not in pages[page]):
            print("%s: %s" % (name, target))
            dead += 1
sys.exit(dead > 0 or links < 500)
PYTHON
finish
