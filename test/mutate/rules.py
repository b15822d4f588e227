# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 The spimdev authors
"""Small mistakes, by rule. Each rule gives (kind, start, end, what stands there instead)."""

import difflib
import hashlib
import re

import ctext

EDGES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
BESIDE = {"<": "- 1", "<=": "+ 1", ">": "+ 1", ">=": "- 1"}
GIVES_BACK = re.compile(r"(?:^|_)(?:free|close|put|munmap|unmap|destroy|give|release|unlock|"
                        r"fini|end|drop|unref|remove|del|delete|discard|unlink|uninit|deinit|"
                        r"cancel|leave|return)(?:_|$)|(?:free|close|unmap)")
ORDERS = re.compile(r"(?:fence|barrier|_[rw]?mb|membarrier)$")
NO_EFFECT = re.compile(r"prefetch|relax|pause|yield|^__asm__$|^asm$|madvise|fadvise")
WEAKER = {"memory_order_release": "memory_order_relaxed",
          "memory_order_acquire": "memory_order_relaxed",
          "memory_order_acq_rel": "memory_order_relaxed",
          "memory_order_seq_cst": "memory_order_relaxed",
          "rte_memory_order_release": "rte_memory_order_relaxed",
          "rte_memory_order_acquire": "rte_memory_order_relaxed",
          "rte_memory_order_seq_cst": "rte_memory_order_relaxed",
          "__ATOMIC_RELEASE": "__ATOMIC_RELAXED", "__ATOMIC_ACQUIRE": "__ATOMIC_RELAXED",
          "__ATOMIC_SEQ_CST": "__ATOMIC_RELAXED", "__ATOMIC_ACQ_REL": "__ATOMIC_RELAXED"}
ASSIGNS = ("=", "+=", "-=", "|=", "&=", "^=", "*=", "/=", "%=", "<<=", ">>=")


class Mutant:
    """One mistake in one place."""

    def __init__(self, path, text, f, kind, start, end, new):
        self.path = path
        self.function = f.name
        self.function_line = text.count("\n", 0, f.start) + 1
        self.kind = kind
        self.start = start
        self.end = end
        self.new = new
        self.line = text.count("\n", 0, start) + 1
        self.last_line = text.count("\n", 0, end) + 1
        old = " ".join(text[start:end].split())
        around = " ".join(text[text.rfind("\n", 0, start) + 1:
                               (text + "\n").find("\n", end)].split())
        # Stays when other lines of the file change.
        self.id = hashlib.sha256("\0".join(
            (path, f.name, kind, around, old, " ".join(new.split()))).encode()).hexdigest()[:10]

    def apply(self, text):
        return text[:self.start] + self.new + text[self.end:]

    def diff(self, text):
        return "".join(difflib.unified_diff(
            text.splitlines(True), self.apply(text).splitlines(True),
            "a/" + self.path, "b/" + self.path, n=2))


def name_called(tokens):
    """The function that a statement calls, if it is a call and nothing else."""
    t = [x for x in tokens]
    if len(t) > 3 and t[0].text == "(" and t[1].text == "void" and t[2].text == ")":
        t = t[3:]
    name, i = "", 0
    while i < len(t) and (t[i].kind == "word" or t[i].text in ("->", ".")):
        name = t[i].text if t[i].kind == "word" else name
        i += 1
    return name if i < len(t) and t[i].text == "(" else ""


def assignment(tokens):
    """Where the assignment of a statement is, or None."""
    depth = 0
    for i, t in enumerate(tokens):
        depth += (t.text in ctext.OPEN) - (t.text in ctext.CLOSE)
        if depth == 0 and t.text in ASSIGNS:
            return i
    return None


def mute(tokens):
    """Tokens that only a log sees are left out."""
    out, i = [], 0
    while i < len(tokens):
        if tokens[i].kind == "word" and ctext.SAYS.search(tokens[i].text) and \
                i + 1 < len(tokens) and tokens[i + 1].text == "(":
            depth = 0
            i += 1
            while i < len(tokens):
                depth += (tokens[i].text in ctext.OPEN) - (tokens[i].text in ctext.CLOSE)
                i += 1
                if depth == 0:
                    break
            out.append(None)
            continue
        out.append(tokens[i])
        i += 1
    return out


def is_operand(t):
    return t is not None and t.text not in ("return", "case", "else", "sizeof") and (
        t.kind in ("word", "number", "text") or t.text in (")", "]"))


def is_flag(t):
    return t is not None and t.kind == "word" and re.match(r"^[A-Z][A-Z0-9_]+$", t.text)


SIDE = r"(-?(?:[\w.]|->|\[\w+\]| \* )+)"
ONE_OF_TWO = re.compile(SIDE + r" [<>]=? " + SIDE + r" \? " + SIDE + " : " + SIDE + "$")
LIMITED = re.compile(SIDE + r" [<>]=? " + SIDE + r"\)\s*" + SIDE + " = " + SIDE + ";")


def same_when_equal(text, sign):
    """Whether a comparison only chooses between its two sides, or limits one to the other: then
    nothing depends on what it says of sides that are equal."""
    line = text[text.rfind("\n", 0, sign) + 1:]
    at = sign - (len(text) - len(line))
    for rule, ends in ((ONE_OF_TWO, r"[;,)]"), (LIMITED, None)):
        for m in re.finditer(SIDE + " [<>]", line):
            if m.end() - 1 != at:
                continue
            found = line[m.start():m.start() + 300]
            if ends:
                found = " ".join(re.split(ends, found, maxsplit=1)[0].split())
            m = rule.match(found)
            if m and {m[1], m[2]} == {m[3], m[4]}:
                return True
    return False


def in_expressions(tokens, text):
    """Rules for signs and words wherever they stand."""
    t = mute(tokens)
    logical = sum(x is not None and x.text in ("&&", "||") for x in t)
    for i, x in enumerate(t):
        if x is None:
            continue
        before = t[i - 1] if i > 0 else None
        after = t[i + 1] if i + 1 < len(t) else None
        last = t[i + 2] if i + 2 < len(t) else None
        if x.text in EDGES and is_operand(before):
            if not same_when_equal(text, x.start):
                yield "comparison", x.start, x.end, EDGES[x.text]
            alone = after is not None and after.kind in ("word", "number") and \
                (last is None or last.text in (")", "&&", "||", ";", "?", ","))
            # A return value that is less than 0 is so by an errno, or is -1.
            error = x.text == "<" and after.text == "0" if after is not None else False
            if x.text in BESIDE and alone and not error and after.text not in ("NULL",):
                yield "bound", after.start, after.end, "%s %s" % (after.text, BESIDE[x.text])
        elif x.text in ("&&", "||") and logical == 1: # else it wants brackets
            yield "and-or", x.start, x.end, "||" if x.text == "&&" else "&&"
        elif x.text in ("+", "-") and is_operand(before) and after is not None:
            if after.text in ("1", "1u") and (last is None or last.text not in ("<<", "*")):
                yield "off by one", before.end, after.end, ""
            else:
                yield "plus-minus", x.start, x.end, "-" if x.text == "+" else "+"
        elif x.text == "-" and after is not None and re.match(r"^E[A-Z0-9]+$", after.text):
            yield ("errno", after.start, after.end,
                   "EIO" if after.text == "EINVAL" else "EINVAL")
        elif x.text in ("+=", "-=", "|=", "&="):
            yield "plain store", x.start, x.end, "="
        elif x.text in ("<<", ">>") and is_operand(before):
            yield "shift", x.start, x.end, ">>" if x.text == "<<" else "<<"
        elif x.text == "|" and is_flag(before) and is_flag(after):
            yield "flag dropped", before.start, after.end, before.text
            yield "flag dropped", before.start, after.end, after.text
        elif x.text == "&" and after is not None and after.text == "~" and is_operand(before):
            yield "mask", x.start, x.start + 1, "|"
        elif x.text in WEAKER:
            yield "memory order", x.start, x.end, WEAKER[x.text]
        elif x.text in ("true", "false"):
            yield "boolean", x.start, x.end, "false" if x.text == "true" else "true"
        elif x.text in ("RTE_MIN", "RTE_MAX", "min", "max", "MIN", "MAX") and \
                after is not None and after.text == "(":
            yield "min-max", x.start, x.end, {
                "RTE_MIN": "RTE_MAX", "RTE_MAX": "RTE_MIN", "min": "max", "max": "min",
                "MIN": "MAX", "MAX": "MIN"}[x.text]


def operands(tokens):
    """A condition's parts between && or between ||, if it has one kind of them outermost."""
    parts, depth, at, sign = [], 0, 0, None
    for i, t in enumerate(tokens):
        depth += (t.text in ctext.OPEN) - (t.text in ctext.CLOSE)
        if depth == 0 and t.text in ("&&", "||"):
            if sign not in (None, t.text):
                return [], None
            sign = t.text
            parts.append((at, i))
            at = i + 1
    parts.append((at, len(tokens)))
    return (parts, sign) if sign else ([], None)


def in_condition(tokens, text):
    start, end = tokens[0].start, tokens[-1].end
    parts, sign = operands(tokens)
    for n, (a, b) in enumerate(parts):
        if n == 0:
            yield "check dropped", start, tokens[parts[1][0]].start, ""
        else:
            yield "check dropped", tokens[a - 2].end, tokens[b - 1].end, ""
            if len(parts) > 2:
                first, mid, last = tokens[parts[n - 1][0]], tokens[a - 1], tokens[b - 1]
                yield ("and-or", first.start, last.end, "(%s%s%s)" % (
                    text[first.start:mid.start], "||" if sign == "&&" else "&&",
                    text[mid.end:last.end]))
    if sign is None and not any(t.text in EDGES for t in tokens):
        if tokens[0].text == "!":
            yield "negated", start, end, text[tokens[1].start:end]
        else:
            yield "negated", start, end, "!(%s)" % text[start:end]


def dropped(statement, text):
    """Without the statement; what it names stays used."""
    start, end = statement.start, statement.end
    new = "{ if (0) %s }" % text[start:end]
    name = name_called(statement.tokens)
    if statement.kind in ("goto", "break", "continue"):
        yield statement.kind + " dropped", start, end, new
    elif statement.kind == "return":
        value = text[start + len("return"):end - 1].strip()
        if re.match(r"^-\w+", value):
            yield "error return dropped", start, end, new
            yield "error return", start, end, "return 0;"
        elif value == "":
            yield "return dropped", start, end, new
        elif value == "NULL" or re.match(r"^(?:rc|ret|err|res)$", value):
            yield "return dropped", start, end, new
    elif name:
        if ctext.SAYS.search(name) or NO_EFFECT.search(name):
            return
        kind = "barrier dropped" if ORDERS.search(name) else \
            "give-back dropped" if GIVES_BACK.search(name) else "call dropped"
        yield kind, start, end, new
    else:
        at = assignment(statement.tokens)
        rest = statement.tokens[at + 1:] if at is not None else ()
        if any(t.text == "(" for t in rest) and len(rest) > 3 and rest[0].kind == "word":
            yield "result dropped", start, end, new
        else:
            yield "assignment dropped", start, end, new


# Calls after which others look, and those that only change what they are given.
TELLS = re.compile(r"store|_set|write|ring|wake|notify|signal|fence|[rw]mb|exchange|fetch_|unlock|"
                   r"post|fire|send")
CHANGES = re.compile(r"memcpy|memset|free|close|destroy")


def independent(call, other):
    """Whether a call that only changes what it is given has nothing to do with a store: it is not
    given the object that is stored to, nor an object as a whole that the store reads."""
    tokens = call.tokens
    if TELLS.search(name_called(tokens)):
        return False
    words = {t.text for t in tokens if t.kind == "word"}
    whole = {t.text for i, t in enumerate(tokens) if t.kind == "word" and
             (i + 1 == len(tokens) or tokens[i + 1].text not in ("->", ".", "(", "[")) and
             tokens[i - 1].text not in ("->", ".")}
    at = assignment(other.tokens)
    base = next((t.text for t in other.tokens[:at] if t.kind == "word"), "")
    return base not in words and not whole & {t.text for t in other.tokens if t.kind == "word"}


def is_memory(tokens):
    return any(t.text in ("->", "[", "*", ".") for t in tokens)


def stores(statement):
    """(what is stored to, what it is made from) of a store to memory, or of one by a call."""
    if statement.kind != "expression":
        return None
    at = assignment(statement.tokens)
    if at is not None and is_memory(statement.tokens[:at]):
        return ({t.text for t in statement.tokens[:at] if t.kind == "word"},
                {t.text for t in statement.tokens[at + 1:] if t.kind == "word"}, False)
    name = name_called(statement.tokens)
    if TELLS.search(name) or CHANGES.search(name):
        return (set(), {t.text for t in statement.tokens if t.kind == "word"}, True)
    return None


def swapped(first, second, text):
    """Two neighbours that both write memory, where the order can matter at all."""
    a, b = stores(first), stores(second)
    if a is None or b is None or (a[2] and b[2] and not (
            ORDERS.search(name_called(first.tokens)) or
            ORDERS.search(name_called(second.tokens)))):
        return
    if a[2] != b[2] and independent(*((first, second) if a[2] else (second, first))):
        return
    one, two = text[first.start:first.end], text[second.start:second.end]
    # Two plain stores of which none reads the other's: only who looks on could tell.
    if not a[2] and not b[2]:
        fields = {w for w in a[0] if re.search(r"(?:->|\.)\s*%s\b" % re.escape(w), one)}
        if not any(re.search(r"=.*(?:->|\.)\s*%s\b" % re.escape(w), two, re.S)
                   for w in fields & b[1]):
            return
    yield ("stores swapped", first.start, second.end,
           two + text[first.end:second.start] + one)


def in_function(f, text):
    for run in f.runs:
        for i, s in enumerate(run):
            if s.kind in ("block", "label"):
                continue
            yield from in_expressions(s.tokens, text)
            if s.kind != "declaration":
                yield from dropped(s, text)
            if i + 1 < len(run):
                yield from swapped(s, run[i + 1], text)
    for c in f.conditions:
        if c.tokens:
            yield from in_expressions(c.tokens, text)
            if c.kind != "for":
                yield from in_condition(c.tokens, text)
    for c in f.others:
        yield from in_expressions(c.tokens, text)


def mutants(path, text):
    """All of a file, each once."""
    seen, ids = set(), {}
    for f in ctext.functions(text):
        for kind, start, end, new in in_function(f, text):
            if (start, end, new) in seen or text[start:end] == new:
                continue
            seen.add((start, end, new))
            m = Mutant(path, text, f, kind, start, end, new)
            ids[m.id] = ids.get(m.id, 0) + 1
            if ids[m.id] > 1: # the same once more in the function
                m.id += "-%d" % ids[m.id]
            yield m
