# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Sphinx configuration of the guides, the hardware reference and the manual pages below doc."""

import re

from docutils import nodes
from sphinx import addnodes

project = "spimdev"
copyright = "2026, The spimdev authors"  # pylint: disable=redefined-builtin
master_doc = "index"
html_show_copyright = False
html_show_sourcelink = False
# Where a name can be looked up, it must exist.
nitpicky = True
highlight_language = "none"
# Built for themselves, and included by the guides.
exclude_patterns = ["man"]

# Of the manual pages below doc/man: document, name, description, authors, section.
man_pages = [
    ("spimctl", "spimctl", "show the state of spimdevd, drain its access points",
     "The spimdev authors", 8),
    ("spimdev", "spimdev", "compress by a shared accelerator", "The spimdev authors", 3),
    ("spimdevd", "spimdevd", "share a software ZIP function", "The spimdev authors", 8),
    ("spimgz", "spimgz", "gzip files by a shared accelerator", "The spimdev authors", 1),
]

# Citations of the hardware reference, see doc/hw/index.rst: each becomes a link.
SECTION = r"(QM|ZIP|UACCE|UDMA|EXT|MODEL|MIG|SPIMDEV) (\d+(?:\.\d+)?)"
CITATION = re.compile(rf"\b(?:{SECTION}((?:(?:, | and | to )\d+\.\d+)*)|(U\d+))\b")
NO_LINK = (nodes.literal, nodes.literal_block, nodes.reference, nodes.target, nodes.title,
           addnodes.pending_xref)


def citation_link(docname, name, text):
    """A link to a section or row."""
    return addnodes.pending_xref("", nodes.inline(text, text), refdomain="std", reftype="ref",
                                 reftarget=name.lower(), refexplicit=True, refwarn=True,
                                 refdoc=docname)


def citation_links(docname, text):
    """The nodes that a text becomes."""
    result, at = [], 0
    for match in CITATION.finditer(text):
        prefix, number, more, row = match.groups()
        result.append(nodes.Text(text[at:match.start()]))
        at = match.end()
        if row:
            result.append(citation_link(docname, row, row))
            continue
        name = f"{prefix} {number}"
        result.append(citation_link(docname, name, name))
        for word in re.findall(r"[\d.]+|[^\d.]+", more):
            result.append(citation_link(docname, f"{prefix} {word}", word)
                          if word[0].isdigit() else nodes.Text(word))
    return result + [nodes.Text(text[at:])] if at else None


def link_citations(app, doctree):
    """Of one document that was read: what can be cited, and what is."""
    docname = app.env.docname
    std = app.env.get_domain("std")
    for section in doctree.findall(nodes.section):
        title = section.next_node(nodes.title).astext()
        match = re.match(SECTION + ": ", title)
        if match:
            std.note_hyperlink_target(match[0][:-2].lower(), docname, section["ids"][0], title)
    for text in list(doctree.findall(nodes.Text)):
        parent = text.parent
        while parent is not None and not isinstance(parent, NO_LINK):
            parent = parent.parent
        links = citation_links(docname, text.astext()) if parent is None else None
        if links:
            text.parent.replace(text, links)


def setup(app):
    """Called by Sphinx."""
    app.connect("doctree-read", link_citations)
