# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Functions, statements and conditions of a C file, as far as our style lets them be found
without a compiler: a function's braces stand alone in the first column."""

import re

TOKEN = re.compile(r"""
    (?P<space>\s+|\\\n)
  | (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<word>[A-Za-z_]\w*)
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
  | (?P<sign><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
""", re.X | re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.M)
TYPES = re.compile(r"^(?:const|static|struct|enum|union|unsigned|signed|int|char|void|bool|long|"
                   r"short|double|float|volatile|register|_Atomic|FILE|va_list|DIR|\w+_t)$")
# Nothing stands on what they say.
SAYS = re.compile(r"(?:^|_)(?:log|LOG)(?:_line)?$|complain$|_say$|^(?:perror|strerror|fprintf|"
                  r"vfprintf|RTE_LOG)$|static_assert$|^assert$|^RTE_SET_USED$|RTE_VERIFY")
OPEN, CLOSE = "([{", ")]}"


class Token:
    """A word or sign at [start, end) of the file."""

    __slots__ = ("kind", "text", "start", "end")

    def __init__(self, kind, text, start):
        self.kind = kind
        self.text = text
        self.start = start
        self.end = start + len(text)


class Range:
    """Tokens [first, last) of a function: a statement or a condition."""

    def __init__(self, kind, tokens, first, last):
        self.kind = kind
        self.tokens = tokens[first:last]

    @property
    def start(self):
        return self.tokens[0].start

    @property
    def end(self):
        return self.tokens[-1].end


class Function:
    """name, its statements (runs of neighbours), its conditions."""

    def __init__(self, name, start, end):
        self.name = name
        self.start = start
        self.end = end
        self.runs = []          # lists of Range: statements that follow each other
        self.conditions = []
        self.others = []        # further ranges with expressions: of for, switch, case


def blank(text):
    """Preprocessor lines as spaces, so that places stay."""
    return DIRECTIVE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def scan(text, start, end):
    found = []
    at = start
    while at < end:
        m = TOKEN.match(text, at)
        if m.lastgroup not in ("space", "comment"):
            found.append(Token(m.lastgroup, m.group(), at))
        at = m.end()
    return found


def functions(text):
    clean = blank(text)
    for m in re.finditer(r"^\{$(.*?)^\}$", clean, re.M | re.S):
        names = re.findall(r"^(\w+)\(", clean[:m.start()], re.M)
        f = Function(names[-1] if names else "?", m.start(1), m.end(1))
        try:
            Parser(f, scan(clean, m.start(1), m.end(1))).block(0)
        except (IndexError, ValueError):
            continue # a macro that this does not understand
        yield f


class Parser:
    """Finds the statements of one function."""

    def __init__(self, function, tokens):
        self.f = function
        self.t = tokens

    def text(self, i):
        return self.t[i].text if i < len(self.t) else ""

    def match(self, i):
        """Behind the bracket that closes the one at i."""
        depth = 0
        while True:
            if self.t[i].text in OPEN:
                depth += 1
            elif self.t[i].text in CLOSE:
                depth -= 1
                if depth == 0:
                    return i + 1
            i += 1

    def until(self, i, sign):
        """The place of a sign outside of brackets."""
        while self.t[i].text != sign:
            i = self.match(i) if self.t[i].text in OPEN else i + 1
        return i

    def block(self, i):
        """Statements up to a closing brace or the end."""
        run = []
        self.f.runs.append(run)
        while i < len(self.t) and self.text(i) != "}":
            i = self.statement(i, run)
        return i

    def body(self, i):
        run = []
        self.f.runs.append(run)
        return self.statement(i, run)

    def says_only(self, first, last):
        """A body that is one line of a log."""
        words = [t.text for t in self.t[first:last] if t.text not in "{}"]
        return bool(words) and bool(SAYS.search(words[0])) and words.count(";") == 1

    def statement(self, i, run):
        word = self.text(i)
        if word == "{":
            run.append(Range("block", self.t, i, i + 1))
            return self.block(i + 1) + 1
        if word in ("if", "while", "switch", "for"):
            return self.control(i, run)
        if word == "do":
            run.append(Range("block", self.t, i, i + 1))
            i = self.body(i + 1)
            end = self.match(i + 1)
            self.f.conditions.append(Range("while", self.t, i + 2, end - 1))
            return end + 1
        if word == "else":
            return self.body(i + 1)
        if word in ("case", "default") or (self.t[i].kind == "word" and self.text(i + 1) == ":"):
            run.append(Range("label", self.t, i, i + 1))
            return self.until(i, ":") + 1
        if self.t[i].kind == "word" and self.text(i + 1) == "(" and \
                self.text(self.match(i + 1)) == "{":
            run.append(Range("block", self.t, i, i + 1)) # a loop by a macro
            return self.body(self.match(i + 1))
        end = self.until(i, ";") + 1
        if end - i > 1:
            run.append(Range(self.kind(i), self.t, i, end))
        return end

    def control(self, i, run):
        word = self.text(i)
        run.append(Range("block", self.t, i, i + 1))
        end = self.match(i + 1)
        after = self.body(end)
        if word == "for":
            at = i + 2
            parts = []
            while at < end - 1:
                try:
                    stop = min(self.until(at, ";"), end - 1)
                except (IndexError, ValueError):
                    stop = end - 1
                parts.append((at, stop))
                at = stop + 1
            for n, (a, b) in enumerate(parts):
                if b > a:
                    where = self.f.conditions if n == 1 else self.f.others
                    where.append(Range("for", self.t, a, b))
        elif word == "switch":
            self.f.others.append(Range("switch", self.t, i + 2, end - 1))
        elif not self.says_only(end, after) or self.text(after) == "else":
            self.f.conditions.append(Range(word, self.t, i + 2, end - 1))
        while self.text(after) == "else":
            after = self.body(after + 1)
        return after

    def kind(self, i):
        word = self.text(i)
        if word in ("return", "goto", "break", "continue"):
            return word
        if TYPES.match(word) or (self.t[i].kind == "word" and self.t[i + 1].kind == "word"):
            return "declaration"
        return "expression"
