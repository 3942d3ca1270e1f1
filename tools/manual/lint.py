# SPDX-License-Identifier: MIT
"""What is wrong with the comments in the headers."""

import pathlib
import re

import headers
import sections

# The order of tags and labels, as CONTRIBUTING.md has it.
ORDER = ["param", "param[out]", "return", "retval"] + headers.LABELS
ROOT = pathlib.Path(__file__).resolve().parents[2]


def documented_elsewhere():
    """Names of the environment and of the build that a comment may use."""
    page = (ROOT / "docs/cfutures.7").read_text()
    build = (ROOT / "CMakeLists.txt").read_text()
    return set(re.findall(r"^\.B (CF_\w+)", page, re.MULTILINE)
               + re.findall(r"option\((CF_\w+)", build))


def check_presence(item):
    comment = item.comment
    if not comment or not comment.is_doc:
        yield "has no comment that begins with /**"
        return
    if not comment.text:
        yield "has a comment without a first sentence"
    elif not re.match(r"[A-Z*]", comment.text[0]):
        yield "begins with '%s': a sentence is to come first" % (
            comment.text[0].split()[0])


def check_parameters(item):
    names = item.parameters
    for name, _, text in item.comment.params:
        if name not in names:
            yield "has no parameter '%s'" % name
        if not text:
            yield "says nothing of '%s'" % name
    documented = [name for name, _, _ in item.comment.params]
    if len(set(documented)) != len(documented):
        yield "has a parameter twice"
    elif [name for name in documented if name in names] != [
            name for name in names if name in documented]:
        yield "has its parameters in another order than its comment"


def check_labels(item):
    comment = item.comment
    labels = [label for label, _ in comment.labels]
    for label, text in comment.labels:
        if not text:
            yield "says nothing after '%s:'" % label
    if comment.rest: # names are looked at below
        return
    for label in ("Threads", "Blocks", "Python"):
        if label not in labels:
            yield "has no '%s:', nor 'The rest as'" % label


def check_order(item):
    ranks = [ORDER.index(kind) for kind in item.comment.order
             if kind != "rest"]
    # Inputs and outputs come as the parameters do.
    ranks = [max(rank, 1) for rank in ranks]
    if ranks != sorted(ranks):
        yield "has its tags in the order " + ", ".join(item.comment.order)


def check_returns(item):
    comment = item.comment
    plain = sections.own_code(item.code)
    returns_error = plain.startswith("cf_err")
    if returns_error and not comment.retvals and not comment.returns \
            and not comment.rest:
        yield "returns a cf_err, and does not say which"
    if re.match(r"void \w", plain) and (comment.retvals or comment.returns):
        yield "returns nothing, and says what"
    for names, text in comment.retvals:
        if returns_error and not re.fullmatch(
                r"CF_[A-Z]+(, CF_[A-Z]+)*(,? \.\.\.)?", names):
            yield "returns a cf_err, and not '%s'" % names


def check_function(item):
    missing = list(check_presence(item))
    yield from missing
    if missing:
        return
    yield from check_parameters(item)
    yield from check_labels(item)
    yield from check_order(item)
    yield from check_returns(item)


def check_names(path, known):
    """Each name in a comment is one of the headers'."""
    source = path.read_text()
    for comment in re.finditer(r"/\*.*?\*/", source, re.DOTALL):
        text = re.sub(r'"\w+"', "", comment[0])
        for kind, piece, name in sections.references(text):
            if kind is None or name in known or name.endswith("_"):
                continue
            line = source.count("\n", 0, comment.start()) + 1
            yield line, "'%s' does not exist" % name


def check_all(folder, all_headers):
    """All findings: header, line, sentence."""
    items = [item for header in all_headers for item in header.items]
    known = documented_elsewhere()
    for item in items:
        code = re.sub(r"/\*.*?\*/", "", item.code, flags=re.DOTALL)
        known.update(re.findall(r"\bcf_\w+|\bCF_\w+", code, re.IGNORECASE))
    known.update(path.name for path in folder.iterdir())
    for item in items:
        if item.kind == "function":
            for sentence in check_function(item):
                yield item.header, item.line, "%s() %s" % (item.name, sentence)
        elif item.kind == "function type" and not (
                item.comment and item.comment.text):
            yield item.header, item.line, "%s has no comment" % item.name
    for path in sorted(folder.glob("*.h")):
        for line, sentence in check_names(path, known):
            yield "cfutures/" + path.name, line, sentence


def report(folder):
    """Prints what is wrong. 0: nothing."""
    folder = pathlib.Path(folder)
    all_headers = headers.read_headers(folder)
    count = sum(item.kind == "function"
                for header in all_headers for item in header.items)
    if count == 0:
        print("%s: no functions" % folder)
        return 1
    findings = list(check_all(folder, all_headers))
    for header, line, sentence in findings:
        print("%s:%d: %s" % (header, line, sentence))
    return 1 if findings else 0
