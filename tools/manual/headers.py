# SPDX-License-Identifier: MIT
"""Reads the public headers: what they declare, and the comments before it."""

from __future__ import annotations

import dataclasses
import pathlib
import re

LABELS = ["Ownership", "Threads", "Blocks", "Ordering", "Fork", "Python"]
TAG = re.compile(r"@(param|return|retval)(\[out\])?\s+(.*)")
LABEL = re.compile(r"(%s): *(.*)" % "|".join(LABELS))
REST = re.compile(r"The rest as (\w+)\(\)(.*)")


@dataclasses.dataclass
class Comment:
    """The text of a comment, cut at its tags and labels."""

    is_doc: bool  # begins with /**
    text: list = dataclasses.field(default_factory=list)  # paragraphs
    params: list = dataclasses.field(default_factory=list)  # name, out, text
    returns: str = ""
    retvals: list = dataclasses.field(default_factory=list)  # names, text
    notes: list = dataclasses.field(default_factory=list)  # on all of them
    labels: list = dataclasses.field(default_factory=list)  # label, text
    rest: str = ""  # the function that has what is not said here
    order: list = dataclasses.field(default_factory=list)  # kinds, as they come

    @property
    def brief(self):
        """The first sentence, without its full stop."""
        first = self.text[0] if self.text else ""
        return re.split(r"(?<!\.)\.(?:\s|$)|: |; ", first, maxsplit=1)[0]


@dataclasses.dataclass
class Item:
    """A declaration, or a macro."""

    kind: str  # function, type, macro, enum
    name: str
    header: str  # cfutures/task.h
    code: str
    line: int
    comment: Comment | None
    public: bool = True  # False: only other macros use it

    @property
    def names(self):
        """What it declares: its own name, and those of an enum's constants, or
        of the list that CF_ERR_MAP() is."""
        plain = re.sub(r"/\*.*?\*/", "", self.code, flags=re.DOTALL)
        found = {self.name} | set(re.findall(r"\bX\((CF_\w+),", plain))
        for inner in re.findall(r"\benum\b[^{;]*\{([^}]*)\}", plain):
            constants = [re.match(r"\s*(CF_\w+)\s*(=|$)", one)
                         for one in inner.split(",")]
            found |= {match[1] for match in constants if match}
        return found

    @property
    def parameters(self):
        """The names of a function's parameters."""
        inner = self.code[self.code.index(self.name) + len(self.name):]
        inner = inner[inner.index("(") + 1:inner.rindex(")")]
        inner = re.sub(r"\)?\s*CF_PRINTF\(.*", "", inner)
        names = []
        for one in re.split(r",(?![^()]*\))", inner):
            pointer = re.search(r"\(\*(\w+)\)", one)
            plain = re.search(r"(\w+)\W*$", one)
            if pointer or plain:
                names.append((pointer or plain).group(1))
        return [name for name in names if name != "void"]


@dataclasses.dataclass
class Header:
    """One header: its overview is the comment that comes first."""

    name: str
    overview: Comment
    items: list


def is_verbatim(line):
    return line.startswith("  ")


def paragraphs(lines):
    """Joins lines; a paragraph that is code keeps its own, and begins with a
    blank."""
    found, current = [], []
    for line in lines + [""]:
        code = bool(current) and is_verbatim(current[0])
        if not line.strip() and code:
            current.append("")
        elif not line.strip() or (current and code != is_verbatim(line)):
            if current:
                found.append(current)
            current = [line] if line.strip() else []
        else:
            current.append(line)
    if current:
        found.append(current)
    joined = []
    for block in found:
        if is_verbatim(block[0]):
            joined.append("\n".join(block).rstrip("\n"))
        else:
            joined.append(" ".join(line.strip() for line in block))
    return joined


def strip_stars(comment):
    """The lines between the marks of a comment."""
    inner = re.sub(r"^/\*+|\*/$", "", comment)
    return [re.sub(r"^ ?\* ?", "", line).rstrip()
            for line in inner.split("\n")]


def pieces(lines):
    """Cuts lines where a tag, a label or "The rest as" begins: kind, lines."""
    kind, part, found = "text", [], []
    for line in lines:
        tagged = (TAG.match(line) or LABEL.match(line) or REST.match(line))
        # After a blank line, what has no tag is text again.
        text = kind != "text" and line and line[0] != " " and not part[-1]
        if tagged or text:
            found.append((kind, part))
            part = []
            kind = "tag" if tagged else "text"
        part.append(line)
    return found + [(kind, part)]


def add_tag(comment, part):
    first = part[0]
    more = " ".join(line.strip() for line in part[1:] if line.strip())
    label, rest, tag = LABEL.match(first), REST.match(first), TAG.match(first)
    if label:
        comment.labels.append((label[1], (label[2] + " " + more).strip()))
        comment.order.append(label[1])
        return
    if rest:
        comment.rest = rest[1]
        after = (rest[2] + " " + more).strip(" .,")
        python = re.match(r"Python: (.*)", after)
        if python:
            comment.labels.append(("Python", python[1]))
        elif after:
            comment.text.append("The rest as %s(), %s." % (rest[1], after))
        comment.order.append("rest")
        return
    comment.order.append(tag[1] + (tag[2] or ""))
    text = tag[3]
    if tag[1] == "return":
        comment.returns = (text + " " + more).strip()
    elif tag[1] == "param":
        name, _, text = text.partition(" ")
        comment.params.append((name, bool(tag[2]),
                               (text.strip() + " " + more).strip()))
    else:
        if more.startswith("CF_") and text.endswith(","):
            text, more = text + " " + more, ""
        names = re.match(r"(CF_\w+(?:, CF_\w+)*(?:,? \.\.\.)?)\s*(.*)", text)
        names, text = (names[1], names[2]) if names else \
            (re.split(r"\s{2,}", text + "  ", maxsplit=1))
        if not text and more and " " not in names:
            # What stands below a name is for all.
            comment.notes.append(more)
            more = ""
        comment.retvals.append((names, (text + " " + more).strip()))


def parse_comment(source):
    comment = Comment(source.startswith("/**"))
    for kind, part in pieces(strip_stars(source)):
        if kind == "tag":
            add_tag(comment, part)
        else:
            comment.text += paragraphs(part)
    return comment


# A comment, a directive with its further lines, or a declaration.
CHUNK = re.compile(
    r"(?P<comment>/\*.*?\*/)"
    r"|(?P<directive>^\#(?:\\\n|[^\n])*)"
    r"|(?P<mark>CF_BEGIN_DECLS|CF_END_DECLS)"
    r"|(?P<code>(?:/\*.*?\*/|\{(?:/\*.*?\*/|\{[^}]*\}|[^{}])*\}|[^;{])+;)",
    re.DOTALL | re.MULTILINE)


def classify(kind, code):
    """Kind and name of a piece of code; None for what no program calls."""
    plain = re.sub(r"/\*.*?\*/", "", code, flags=re.DOTALL)
    if kind == "directive":
        macro = re.match(r"#define (CF_\w+)", plain)
        return ("macro", macro[1]) if macro else None
    if plain.startswith("CF_API"):
        return "function", re.match(r"CF_API[^(]*?(\w+)\(", plain)[1]
    if re.match(r"(__extension__ )?typedef", plain):
        function = re.match(r"typedef[^({]*?(\w+)\(", plain)
        if function:
            return "function type", function[1]
        return "type", re.search(r"(\w+);$", plain)[1]
    if plain.startswith("enum"):
        return "enum", re.search(r"CF_\w+", plain)[0]
    return None


def read_header(path):
    source = path.read_text()
    name = "cfutures/" + path.name
    comments, items, end, last = [], [], 0, None
    position = 0
    while True:
        position += len(re.match(r"\s*", source[position:])[0])
        chunk = CHUNK.match(source, position)
        if not chunk:
            break
        position = chunk.end()
        text = chunk[0]
        if chunk.lastgroup == "comment":
            last = parse_comment(text)
            comments.append(last)
            if items and "\n" not in source[end:chunk.start()]:
                items[-1].comment, last = last, None # behind it, on its line
            end = chunk.end()
            continue
        attached = last if last and \
            source[end:chunk.start()].count("\n") < 2 else None
        found = classify(chunk.lastgroup, text)
        if found:
            line = source.count("\n", 0, chunk.start()) + 1
            items.append(Item(*found, name, text, line, attached,
                              not found[1].startswith("CF__")))
        last, end = None, chunk.end()
    if source[position:].strip():
        line = source.count("\n", 0, position) + 1
        raise SyntaxError("%s:%d: cannot read this" % (path, line))
    # The first comment is the licence's.
    return Header(name, comments[1], items)


def read_headers(folder):
    """All headers of a folder, by name. cfutures.h includes others."""
    return [read_header(path)
            for path in sorted(pathlib.Path(folder).glob("*.h"))]
