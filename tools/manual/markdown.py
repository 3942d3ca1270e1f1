# SPDX-License-Identifier: MIT
"""The Markdown of this project as HTML: titles, paragraphs, code, lists and
tables."""

import html
import re


def link(match, resolve):
    text, target = match[1], match[2]
    return '<a href="%s">%s</a>' % (html.escape(resolve(target)), text)


def inline(text, resolve):
    """A paragraph. What is between ` is left alone."""
    written = []
    for number, part in enumerate(re.split(r"(``.+?``|`[^`]+`)", text)):
        if number % 2:
            written.append("<code>%s</code>" % html.escape(part.strip("`")))
            continue
        part = html.escape(part, quote=False).replace("&lt;br&gt;", "<br>")
        part = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", part)
        part = re.sub(r"(?<![\w*])\*([^*]+?)\*(?![\w*])", r"<i>\1</i>", part)
        written.append(part)
    # A link's text may have code in it.
    return re.sub(r"\[((?:[^\[\]]|\[[^\]]*\])+)\]\(([^)\s]+)\)",
                  lambda match: link(match, resolve), "".join(written))


def anchor(title):
    """As GitHub makes them."""
    title = re.sub(r"[^\w\- ]", "", title.lower())
    return title.replace(" ", "-")


def cells(row):
    row = row.strip().strip("|").replace("\\|", "\0")
    return [cell.strip().replace("\0", "|") for cell in row.split("|")]


def table(rows, resolve):
    written = ["<table>"]
    for number, row in enumerate(rows):
        if number == 1: # the line below the head
            continue
        kind = "td" if number else "th"
        written.append("<tr>%s</tr>" % "".join(
            "<%s>%s</%s>" % (kind, inline(cell, resolve), kind)
            for cell in cells(row)))
    return written + ["</table>"]


def listing(lines, resolve):
    """Items, each with its further lines."""
    kind = "ol" if re.match(r"\d+\. ", lines[0]) else "ul"
    items = []
    for line in lines:
        begins = re.match(r"(?:[-*]|\d+\.) (.*)", line)
        if begins:
            items.append(begins[1])
        else:
            items[-1] += " " + line.strip()
    return ["<%s>" % kind] + ["<li>%s</li>" % inline(item, resolve)
                              for item in items] + ["</%s>" % kind]


def take(lines, at, wanted):
    """The lines from there on that are wanted."""
    end = at
    while end < len(lines) and wanted(lines[end]):
        end += 1
    return lines[at:end], end


def convert(text, resolve):
    """resolve() turns the target of a link into one of the site."""
    lines, written, at = text.split("\n"), [], 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("```"):
            block, at = take(lines, at + 1,
                             lambda one: not one.startswith("```"))
            at += 1
            written.append("<pre>%s</pre>" % html.escape("\n".join(block)))
        elif line.startswith("    "):
            block, at = take(lines, at,
                             lambda one: one.startswith("    ") or not one)
            code = "\n".join(one[4:] for one in block).strip("\n")
            written.append("<pre>%s</pre>" % html.escape(code))
        elif line.startswith("|"):
            block, at = take(lines, at, lambda one: one.startswith("|"))
            written += table(block, resolve)
        elif re.match(r"[-*] |\d+\. ", line):
            block, at = take(lines, at, lambda one: one.startswith("  ")
                             or re.match(r"[-*] |\d+\. ", one))
            written += listing(block, resolve)
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            title = line[level:].strip()
            written.append('<h%d id="%s">%s</h%d>' % (
                level, anchor(title), inline(title, resolve), level))
            at += 1
        elif line.startswith("<!--") or not line.strip():
            at += 1
        elif line.startswith("<"):
            written.append(line)
            at += 1
        else:
            block, at = take(lines, at, lambda one: one.strip()
                             and not one.startswith(("```", "|", "- ", "#", "<")))
            written.append("<p>%s</p>" % inline(" ".join(block), resolve))
    return "\n".join(written)
