# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Sphinx configuration of the guides below doc/guides."""

project = "spimdev"
copyright = "2026, The spimdev authors"  # pylint: disable=redefined-builtin
master_doc = "index"
html_show_copyright = False
html_show_sourcelink = False
# Where a name can be looked up, it must exist.
nitpicky = True
highlight_language = "none"

# Of the manual pages below doc/man: document, name, description, authors, section.
man_pages = [
    ("spimctl", "spimctl", "look into spimdevd, drain its access points",
     "The spimdev authors", 8),
    ("spimdev", "spimdev", "compress by a shared accelerator", "The spimdev authors", 3),
    ("spimdevd", "spimdevd", "share a software ZIP function", "The spimdev authors", 8),
    ("spimgz", "spimgz", "gzip files by a shared accelerator", "The spimdev authors", 1),
]
