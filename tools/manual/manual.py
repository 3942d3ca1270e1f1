#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The manual, made of the comments in the public headers.

    manual.py man [--gzip] FOLDER   man pages, in man3/ and man7/ of FOLDER
    manual.py site FOLDER           the same as a web site, with the guides
    manual.py lint [HEADERS]        what is wrong with the comments
"""

import argparse
import pathlib
import re
import sys

sys.dont_write_bytecode = True

import headers
import lint
import man
import sections
import website

ROOT = pathlib.Path(__file__).resolve().parents[2]


def version():
    text = (ROOT / "include/cfutures/base.h").read_text()
    return re.search(r'CF_VERSION_STRING "(.*)"', text)[1]


def date():
    """That of the page that is written by hand."""
    return (ROOT / "docs/cfutures.7").read_text().split("\n")[1].split()[3]


def components():
    """Header -> component, as the lines of cf_component() say."""
    found = {}
    for path in sorted(ROOT.glob("event_loop/**/CMakeLists.txt")):
        for name, names in re.findall(
                r"cf_component\(\s*(\w+).*?HEADERS((?:\s+\w+\.h)+)",
                path.read_text(), re.DOTALL):
            for header in names.split():
                found["cfutures/" + header] = name
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["man", "site", "lint"])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--gzip", action="store_true")
    args = parser.parse_intermixed_args()
    if args.what == "lint":
        folder = args.folder or ROOT / "include/cfutures"
        return lint.report(folder)
    if not args.folder:
        parser.error("into which folder?")
    all_headers = headers.read_headers(ROOT / "include/cfutures")
    pages = sections.all_pages(all_headers, components())
    if args.what == "man":
        man.write(pages, args.folder, version(), date(), args.gzip)
    else:
        website.write(pages, args.folder, version(), ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
