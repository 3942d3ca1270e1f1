# SPDX-License-Identifier: MIT
"""Writes pages as man(7)."""

import gzip
import os
import pathlib

import sections


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line
                     for line in text.split("\n"))


def inline(text, volumes):
    """A paragraph, with the names in it in bold. volumes: name -> volume."""
    written = ""
    for kind, piece, name in sections.references(text):
        piece = escape(piece) if piece else ""
        if kind == "function" and name in volumes and "()" in piece:
            piece = "\\fB%s\\fP(%d)" % (escape(name), volumes[name])
        elif kind:
            piece = "\\fB%s\\fP" % piece
        written += piece
    return written if written[:1] not in (".", "'") else "\\&" + written


def write_block(kind, content, volumes, is_wide):
    if kind == "text":
        return [".PP", inline(content, volumes)]
    if kind == "code" and is_wide:
        return [".PP", ".nf", escape(content), ".fi"]
    if kind == "code":
        return [".PP", ".in +4n", ".EX", escape(content), ".EE", ".in"]
    lines = []
    for term, text in content:
        lines += [".TP", "\\fB%s\\fP" % escape(term)]
        lines.append(inline(text, volumes) if text else "\\&")
    return lines


def write_page(page, volumes, version, date):
    lines = ['.TH %s %d %s "libcfutures %s" "libcfutures"' %
             (escape(page.name.upper()), page.volume, date, version),
             ".nh", # names stay whole
             ".SH NAME",
             "%s \\- %s" % (escape(page.name), escape(page.brief))]
    for title, blocks in page.sections:
        lines.append(".SH " + title)
        written = []
        for kind, content in blocks:
            written += write_block(kind, content, volumes,
                                   title == "SYNOPSIS")
        # No distance between the title and its first paragraph.
        lines += written[1:] if written[0] == ".PP" else written
    return ".\\\" Made by tools/manual/manual.py.\n" + "\n".join(lines) + "\n"


def write(pages, folder, version, date, compress):
    """Writes the pages into man3/ and man7/ below folder, and links for the
    names without a page of their own."""
    volumes = {page.name: page.volume for page in pages}
    functions = pathlib.Path(folder, "man3")
    functions.mkdir(parents=True, exist_ok=True)
    ending = ".gz" if compress else ""
    for page in pages:
        text = write_page(page, volumes, version, date).encode()
        if compress: # the same bytes each time
            text = gzip.compress(text, 9, mtime=0)
        place = pathlib.Path(folder, "man%d" % page.volume)
        place.mkdir(exist_ok=True)
        path = place / ("%s.%d%s" % (page.name, page.volume, ending))
        path.write_bytes(text)
        for name in page.also:
            link = functions / (name + ".3" + ending)
            link.unlink(missing_ok=True)
            link.symlink_to(os.path.relpath(path, functions))
