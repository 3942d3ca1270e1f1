# SPDX-License-Identifier: MIT
"""Writes pages as a web site, one for each header, with the guides. It needs
nothing from elsewhere."""

import html
import os
import pathlib
import re

import markdown
import sections

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem;
       margin: 0 auto; padding: 1rem; }
nav { border-bottom: 1px solid var(--line); padding-bottom: .5rem; }
nav a { margin-right: 1em; }
pre { background: var(--soft); border: 1px solid var(--line);
      padding: .6rem; overflow-x: auto; font-size: 14px; }
code, pre { font-family: ui-monospace, monospace; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border: 1px solid var(--line); padding: .2rem .5rem;
         text-align: left; vertical-align: top; }
h2 { border-top: 1px solid var(--line); padding-top: 1rem; }
h4 { margin: .8rem 0 .2rem; font-size: 13px; }
dt { font-family: ui-monospace, monospace; }
p, ul { margin: .4rem 0; }
input { font: inherit; width: 100%; box-sizing: border-box; }
"""
FIND = """
const box = document.querySelector("input");
box.addEventListener("input", () => {
  for (const row of document.querySelectorAll("li[data-name]"))
    row.hidden = !row.dataset.name.includes(box.value.toLowerCase());
});
"""


def file_of(header):
    return header.removeprefix("cfutures/").replace(".", "_") + ".html"


def inline(text, places):
    """places: name -> where it is."""
    written = ""
    for kind, piece, name in sections.references(text):
        piece = html.escape(piece or "")
        place = places.get(name)
        if kind and place:
            piece = '<a href="%s">%s</a>' % (place, piece)
        if kind:
            piece = "<code>%s</code>" % piece
        written += piece
    return written


def write_block(kind, content, places):
    if kind == "text":
        return "<p>%s</p>" % inline(content, places)
    if kind == "code":
        return "<pre>%s</pre>" % html.escape(content)
    return "<dl>%s</dl>" % "".join(
        "<dt>%s</dt><dd>%s</dd>" % (inline(term, places),
                                    inline(text, places))
        for term, text in content)


def write_sections(page, places):
    written = []
    for title, blocks in page.sections:
        if title == "SEE ALSO": # the links are where the names are
            continue
        if title != "SYNOPSIS":
            written.append("<h4>%s</h4>" % title)
        written += [write_block(kind, content, places)
                    for kind, content in blocks]
    return "\n".join(written)


def frame(title, body, top="."):
    return """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>%s</title>
<meta name="viewport" content="width=device-width">
<style>%s</style></head><body>
<nav><a href="%s/index.html">libcfutures</a></nav>
%s</body></html>
""" % (html.escape(title), STYLE, top, body)


def write_headers(pages, folder, places):
    for overview in (page for page in pages if page.volume == 7):
        body = ["<h1>%s</h1>" % html.escape("<%s>" % overview.header),
                write_sections(overview, places)]
        for page in pages:
            if page.header == overview.header and page.volume == 3:
                body.append('<h2 id="%s">%s</h2>\n<p>%s.</p>' % (
                    page.name, page.name, inline(page.brief, places)))
                body.append(write_sections(page, places))
        (folder / file_of(overview.header)).write_text(
            frame(overview.header, "\n".join(body)))


def guides(root):
    """The README and the pages of docs/: path in the source -> title."""
    found = {}
    for path in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        title = re.search(r"^# (.*)", path.read_text(), re.MULTILINE)
        found[path.relative_to(root).as_posix()] = title[1]
    return found


def guide_file(path):
    return path.removesuffix(".md").replace("/", "-") + ".html"


def write_guides(found, root, folder):
    for path in found:

        def resolve(target, path=path):
            """What is not in the site has no link that could break."""
            if re.match(r"\w+:|#", target):
                return target
            place, _, fragment = target.partition("#")
            inside = os.path.normpath(
                os.path.join(os.path.dirname(path), place))
            if inside in found:
                target = guide_file(inside)
            elif re.fullmatch(r"include/cfutures/\w+\.h", inside):
                target = file_of(inside.removeprefix("include/"))
            else:
                return ""
            return target + ("#" + fragment if fragment else "")

        body = markdown.convert((root / path).read_text(), resolve)
        body = re.sub(r'<a href="">(.*?)</a>', r"\1", body, flags=re.DOTALL)
        (folder / guide_file(path)).write_text(frame(found[path], body))


def write(pages, folder, version, root):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    places = {}
    for page in pages:
        if page.volume == 3:
            places[page.name] = "%s#%s" % (file_of(page.header), page.name)
        else:
            places[page.header.removeprefix("cfutures/")] = \
                file_of(page.header)
    write_headers(pages, folder, places)
    found = guides(root)
    write_guides(found, root, folder)
    rows = "".join(
        '<li data-name="%s"><a href="%s">%s</a>: %s</li>\n' % (
            page.name, places[page.name], page.name, html.escape(page.brief))
        for page in sorted(pages, key=lambda page: page.name)
        if page.volume == 3)
    body = "<h1>libcfutures %s</h1>\n<h2>Guides</h2><ul>%s</ul>\n" % (
        version, "".join('<li><a href="%s">%s</a></li>' % (
            guide_file(path), markdown.inline(title, str))
            for path, title in found.items()))
    body += "<h2>Headers</h2><ul>%s</ul>\n" % "".join(
        '<li><a href="%s">%s</a></li>' % (
            file_of(page.header), html.escape("<%s>" % page.header))
        for page in pages if page.volume == 7)
    body += "<h2>Names</h2>\n<input placeholder='find a name'>\n" \
        "<ul>%s</ul>\n<script>%s</script>\n" % (rows, FIND)
    (folder / "index.html").write_text(frame("libcfutures", body))
