# SPDX-License-Identifier: MIT
"""What a page says, in whatever form it is then written.

A page is a list of sections: title, blocks. A block is ("text", paragraph),
("code", lines) or ("list", [(term, text)])."""

import dataclasses
import re

TITLES = {
    "Ownership": "OWNERSHIP",
    "Threads": "THREADS",
    "Blocks": "BLOCKING",
    "Ordering": "MEMORY ORDERING",
    "Fork": "FORK",
    "Python": "PYTHON",
}
REFERENCE = re.compile(r"(?P<function>\bcf_\w+)(?:\(\))?"
                       r"|(?P<constant>\bCF_[A-Z]\w*)"
                       r"|<?cfutures/(?P<header>\w+\.h)>?")


@dataclasses.dataclass
class Page:
    name: str
    volume: int  # of the manual: 3 functions and types, 7 overviews
    brief: str
    header: str  # cfutures/task.h
    sections: list
    also: set  # names that are declared here, and have no page of their own


def references(text):
    """Cuts a text: (kind, piece, name). Kind is None for what is plain."""
    end = 0
    for match in REFERENCE.finditer(text):
        yield None, text[end:match.start()], None
        yield match.lastgroup, match[0], match[match.lastgroup]
        end = match.end()
    yield None, text[end:], None


def block(paragraph):
    if paragraph.startswith("  "):
        indent = min(len(line) - len(line.lstrip())
                     for line in paragraph.split("\n") if line)
        return "code", "\n".join(line[indent:]
                                 for line in paragraph.split("\n"))
    return "text", paragraph


def own_code(code):
    """A declaration as its user sees it, without marks."""
    code = re.sub(r"\s*CF_PRINTF\(\w+, \w+\)", "", code)
    marks = re.match(r"(?:CF_API |CF_NODISCARD |__extension__ )*", code)[0]
    lines = code[len(marks):].split("\n")
    if all(line.startswith(" " * len(marks)) for line in lines[1:]):
        lines[1:] = [line[len(marks):] for line in lines[1:]]
    return "\n".join(lines)


def upper(sentence, item):
    """As a sentence begins, unless it begins with a name."""
    first = re.match(r"\w+", sentence)
    if first and (first[0] in item.parameters or "_" in first[0]):
        return sentence
    return sentence[:1].upper() + sentence[1:]


def lower(sentence):
    """As it stands in NAME. Words such as NULL or CPU stay."""
    if sentence[1:2].isupper():
        return sentence
    return sentence[:1].lower() + sentence[1:]


def results(item):
    """RETURN VALUE and ERRORS."""
    comment = item.comment
    errors = [(names, text) for names, text in comment.retvals
              if names != "CF_OK"]
    fine = [text for names, text in comment.retvals if names == "CF_OK"]
    value = []
    if comment.returns:
        value.append(("text", comment.returns))
    elif fine:
        value.append(("list", [("CF_OK", fine[0] or "It is done.")]))
        if errors:
            value.append(("text", "Or one of the errors below."))
    elif re.match("Returns|Tells", comment.brief):
        value.append(("text", comment.text[0]))
    if comment.rest and not value:
        value.append(("text", "As %s()." % comment.rest))
    listed = []
    if errors:
        listed.append(("list", errors))
        listed += [("text", note) for note in comment.notes]
        if comment.rest:
            listed.append(("text", "The others are those of %s()." %
                           comment.rest))
    return [("RETURN VALUE", value), ("ERRORS", listed)]


def include(header, core):
    return "cfutures/cfutures.h" if header in core else header


def mentioned(sections, item, known):
    """The functions and types that a page names, without itself."""
    found = []
    for _, blocks in sections:
        for kind, content in blocks:
            texts = [content] if kind != "list" else \
                [text for pair in content for text in pair]
            for text in texts:
                found += [name for what, _, name in references(text)
                          if what == "function" and name in known]
    return sorted(set(found) - {item.name})


def page_of(item, core, known):
    """The page of a function, or of a type."""
    comment = item.comment
    synopsis = [("code", "#include <%s>\n\n%s" %
                 (include(item.header, core), own_code(item.code)))]
    text = [block(paragraph) for paragraph in comment.text]
    if comment.params:
        text.append(("list", [
            (name, text + (" (Output.)" if out else ""))
            for name, out, text in comment.params]))
    if comment.rest:
        text.append(("text", "What is not said here is as in %s()." %
                     comment.rest))
    sections = [("SYNOPSIS", synopsis), ("DESCRIPTION", text)]
    if item.kind != "type":
        sections += results(item)
    sections += [(TITLES[label], [("text", words if label == "Python" else
                                    upper(words, item))])
                 for label, words in comment.labels]
    see = mentioned(sections, item, known)
    see = [name + "(3)" for name in see] + [
        overview_name(item.header) + "(7)", "cfutures(7)"]
    sections = [pair for pair in sections if pair[1]]
    sections.append(("SEE ALSO", [("text", ", ".join(see))]))
    brief = lower(comment.brief)
    if brief.startswith("zero is the default"): # all options begin so
        brief = "options of " + item.name.removesuffix("_options")
    return Page(item.name, 3, brief, item.header, sections,
                item.names - {item.name})


def overview_name(header):
    return header.replace("/", "-").removesuffix(".h").replace("_", "-")


def overview_of(header, core, component):
    """The page of a header: what comes first in it, and a list of the rest."""
    functions, others, also = [], [], set()
    for item in header.items:
        if item.kind in ("function", "function type"):
            brief = item.comment.brief if item.comment else ""
            functions.append((item.name + "()", brief + "."))
        elif item.public:
            others.append(own_code(item.code))
        if item.public and not has_page(item):
            also |= item.names
    needs = []
    if component:
        needs.append(("text", "It belongs to the component %s: programs link "
                      "with pkg-config cfutures-%s, or with cfutures::%s of "
                      "CMake." % (component, component, component)))
    text = [block(paragraph) for paragraph in header.overview.text]
    sections = [("SYNOPSIS", [("code", "#include <%s>" %
                               include(header.name, core))] + needs),
                ("DESCRIPTION", text)]
    if functions:
        sections.append(("FUNCTIONS", [("list", functions)]))
    if others:
        sections.append(("DECLARATIONS", [
            ("code", "\n".join(others))]))
    sections.append(("SEE ALSO", [("text", "cfutures(7)")]))
    return Page(overview_name(header.name), 7,
                "%s, an overview" % header.name, header.name, sections, also)


def has_page(item):
    """What has no comment of its own, or no members, is in the overview."""
    if not item.public or not item.comment or not item.comment.text:
        return False
    return item.kind in ("function", "function type") or (
        item.kind == "type" and "{" in item.code)


def all_pages(headers, components):
    """The whole manual. components: header -> component."""
    core = {header.name for header in headers
            if header.name not in components}
    items = {item.name: item for header in headers
             for item in header.items if has_page(item)}
    pages = [page_of(item, core, items) for item in items.values()]
    for header in headers:
        if header.name != "cfutures/cfutures.h":
            pages.append(overview_of(header, core,
                                     components.get(header.name)))
    return pages
