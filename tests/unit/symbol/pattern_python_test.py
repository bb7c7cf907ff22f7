#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares symgate's filter patterns with Python's own re.match, pair by pair.

usage: pattern_python_test.py <pattern_lines program> [seed [patterns]]

Three sources of pairs: patterns as filter lists hold them, constructs in which the two syntaxes differ, and random ones.
What Python refuses must be refused. What Python takes may be refused only with a reason from REFUSALS, and never in the
first list. Everything else must match the same names.
"""
import random
import re
import subprocess
import sys
import warnings

REFUSALS = ("not supported", "too deeply", "too many", "too large", "too long", "must be ASCII")

FIELD = [
    r"mso", r"mso\.pdb", r"^mso", r"^mso.*\.pdb$", r".*", r".+", r"", r"$", r"^$", r"(?i)mso", r"(?i)^MSO.*\.PDB$",
    r"(?i)(ntdll|kernel(32|base)?)\.(pdb|dll)", r"[A-Z]", r"[a-z]+\.pdb", r"[^a-z]", r"\w+\.pdb", r"\w+\Z", r"\d",
    r"(?!ms).*\.pdb", r"(?!.*\.(exe|dll)$)", r"(?=.*pdb)ms", r".*(?<=\.pdb)$", r".*(?<!\.pdb)$", r"(?P<base>\w+)\.(?P<ext>pdb|dll)",
    r"(?P<a>o)(?P=a)", r"(a)(b)?\2", r"(\w)\1", r"(?:my|our)app[-_]?(x86|x64)?\.pdb", r"lib.*\.so(\.\d+)*$",
    r"_\.debug", r"company\..*", r"Company\.[A-Z]\w+\.dll", r"[\w.+-]+\.pdb", r"api-ms-win-.*", r"ext-ms-.*",
    r"mso|office", r"^(mso|office)", r"(mso|office)$", r".*\.ni\.pdb", r"d3d[0-9]{1,2}.*", r"vcruntime\d{3}(_1)?d?\.",
    r"\S+\s\S+", r"[^.]*\.pdb", r"[^\W\d_]+\.pdb", r"\bmso\b", r".*\bpdb\b", r"Electron Framework", r"libstdc\+\+\.so",
    r"(?x) mso  # office \n | word", "(?x) ms o # office\n | wo rd", r"(?s).*", r"(?m)^mso$", r"(?im)^MSO$", r"(?-i:mso)", r"(?i:MSO)\.pdb",
]

# Python means something else than PCRE2 by these, or only one of the two knows them.
DIFFERENT = [
    r"a\Z", r"a$", "a$\n", r"(?m)a$", r"(?m)^b", "a\n(?m)", r"\Aa", r"a\z", r"\Ga", r"a{,2}b", r"a{,}b", r"a{2}", r"a{2,}", r"a{1,2}?",
    r"a{", r"a{}", r"a{x}", r"a{1", r"a{1,", r"a{1,x}", r"{", r"a{2,1}", r"x{0}", r"a{70000}", r"{2}", r"a{2}{3}",
    r"[[:alpha:]]", r"[[:alpha:]]+", r"[:alpha:]", r"[[.a.]]", r"[[=a=]]", r"[]a]", r"[^]a]", r"[a\]b]", r"[a-]", r"[-a]", r"[a-c-e]",
    r"[\w-z]", r"[a-\w]", r"[\d-]", r"[z-a]", r"[]", r"[^]", r"[a", r"[\b]", r"[\B]", r"[\A]", r"[\Z]", r"[\8]", r"[\08]", r"[\101]", r"[\400]",
    r"[a&&b]", r"[a--b]", r"[a||b]", r"[a~~b]", r"[[a]", r"[[a]]", r"[^\W]", r"[\Wa]", r"[^\Wa]", r"[\W\d]", r"[^\S]", r"[\D\d]", r"[\Da]",
    r"[\sa]+", r"[^\s\S]", r"[\w\W]", r"\h", r"\H", r"\R", r"\K", r"a\Kb", r"\Qa.b\E", r"\E", r"\X", r"\C", r"\N", r"\N{DIGIT ONE}", r"\p{L}", r"\pL",
    r"\P{L}", r"\v", r"\V", r"\e", r"\cA", r"\o{101}", r"\x41", r"\x4", r"\x{41}", r"\u0041", r"\u004", r"\U00000041", r"\U00110000", r"\ud800",
    r"\101", r"\0", r"\01", r"\08", r"\1", r"(a)\1", r"(a)\10", r"(a)\100", r"(a\1)", r"\400", r"(a)\2", r"\8", r"\g1", r"\g{1}", r"(a)\g{1}",
    r"\k<a>", r"(?P<a>a)\k<a>", r"(?<a>a)", r"(?'a'a)", r"(?P>a)", r"(?P<a>a)(?P>a)", r"(?P<a>a)(?P<a>b)", r"(?P<1>a)", r"(?P<>a)", r"(?P<a",
    r"(?P=a)", r"(?P<a>(?P=a))", r"(?R)", r"(?0)", r"(?1)", r"(a)(?1)", r"(?&a)", r"(?|a|b)", r"(?C)", r"(*ACCEPT)a", r"(*FAIL)", r"(*UTF8)a", r"a(*SKIP)b",
    r"(?>a+)b", r"(?>a+)ab", r"a++b", r"a++ab", r"a*+a", r"a?+a", r"a{1,2}+a", r"a**", r"a*?*", r"a+*", r"a???", r"*a", r"+a", r"?a", r"|*a", r"(*a)", r"^*",
    r"^+a", r"$*", r"\b*", r"\B?", r"\A{2}", r"a|*", r"(|a)", r"(a|)", r"()", r"(?:)", r"(?:)*", r"()*", r"(?:a|)*b", r"(a*)*b", r"(a*)+b", r"(?:^a)*", r"(?:a?)*?b",
    r"(?=a)*", r"(?!a)?b", r"(?<=a)+", r"(?#comment)a", r"a(?#comment)*b", r"a(?#\)b)", r"(?#", r"(?#a", r"(?", r"(?:", r"(", r")", r"a)", r"(a", r"(?a", r"(?i", r"(?i-", r"(?i-)", r"(?-i)a",
    r"(?-:a)", r"(?i-i:a)", r"(?i)a", r"a(?i)", r"a|(?i)b", r"(?i)a|B", r"((?i)a)", r"(?i)(?m)a", r"(?i)(?-i:a)b", r"(?i:a)b", r"(?i:a|(?-i:b))", r"(?s).a", r".a", r"(?s:.)a", r"(?-s:.)", r"(?s)(?-s:.)a",
    r"(?a)\w", r"(?a)\d", r"(?a)\s", r"(?a)\W", r"(?a)\D", r"(?a)\S", r"(?a)[\w]", r"(?a)[^\w]", r"(?a)\bx", r"(?a)\Bx", r"(?u)\w", r"(?a:\w)\w", r"(?a)(?u:\w)\w", r"(?au)a", r"(?a)(?u)a", r"(?L)a", r"(?a)[\W]",
    r"(?ai)k", r"(?t)a", r"(?xx)a", r"(?n)a", r"(?J)a", r"(?U)a*", r"(?^i)a", r"(?ii)a", r"(?z)a", r"(?i)(a)\1",
    r"(?x)a b", r"(?x)a\ b", r"(?x)[a b]", "(?x)a#b\nc", "(?x)a#b\\\nc\nd", r"(?x)a #", r"(?x: a b)c d", r"(?x)(?-x: a)b", r"(?x)a *", r"(?x)a* ?", r"(?x)a{1 ,2}", r"(?x) (?i) A", r"(?x)( ?:a)",
    r"\d", r"\D", r"\s", r"\S", r"\w", r"\W", r"\b.", r"\B.", r".\b", r".\B", r"\d+", r"[\d]", r"[\s]", r"[\S]", r"(?i)k", r"(?i)K", r"(?i)s", r"(?i)i", r"(?i)I", r"(?i)\u0130", r"(?i)\u0131",
    r"(?i)[h-j]", r"(?i)[^i]", r"(?i)[H-J]", r"(?i)[\u0130]", r"(?i)\u00e9", r"(?i)\u00df", r"(?i)\ufb05", r"(?i)\u0390", r"(?i)[\u03b0]", r"(?i)\u03c3", r"(?i)\u00b5", r"(?i)[k-s]", r"(?i)[^k]", r"é", r"(?i)É", r"[é-ü]", r"(?i)[À-Ý]",
    r"(?<=a)b", r"a(?<=a)b", r"a(?<!a)b", r"a(?<=a|b)b", r"a(?<=a|bc)b", r"a(?<=a*)b", r"a(?<=a{1})b", r"ab(?<=a(b|c))", r"(a)(?<=\1)b", r"a(?<=(a)\1)b", r"a(?<=^a)b", r"(?<=)a", r"a(?<=(?=b)a)b", r"a(?<=[\Wa])b", r"a(?<=[^\Wb])b", r"a(?<=(?>a))b",
    r"(a)?(?(1)b|c)", r"(?P<x>a)?(?(x)b|c)", r"(a)?(?(1)b)", r"(?(1)a|b)(c)", r"(?(2)a|b)(c)", r"(?(0)a)", r"(?(x)a)", r"(a)(?(1)b|c|d)", r"(?(1)b", r"(a)?(?(1)b|c)*", r"(?(R)a)", r"(?(DEFINE)a)", r"(?(?=a)b)", r"(a)?(?<=(?(1)a|b))c", r"(?(1)|b)(c)?", r"((?(1)a|b))",
    "\\", r"a\\", "a\\", "\\\n", r"\-", r"\_", r"\é", r"\/", "a\tb", r"a\tb", r"\a", r"\f", r"a-b", r"a}b", r"a]b", r"(?=a)a", r"(?!)", r"(?!)|a", r"a.b", "a\rb", r"a\rb", "\u2028", r".", r"..", r"^^a", r"a$$", r"a\b\b",
    "(" * 90 + "a" + ")" * 90, "(?:" * 120 + "a" + ")" * 120, "(?<é>a)", "(?P<é>a)", "(?P<a b>a)", r"(?P<a>a)(?(a)b)", r"(?P<a\>b>x)",
]

NAMES = [
    "mso.pdb", "MSO.PDB", "Mso.pdb", "msoffice.dll", "office.pdb", "ntdll.pdb", "kernel32.dll", "KernelBase.pdb", "app.exe", "my app.pdb", "_.debug",
    "libstdc++.so.6", "libc-2.36.so", "Company.Core.dll", "company.core.dll", "d3d11.pdb", "vcruntime140_1.dll", "Electron Framework", "a", "b", "c", "d", "k", "A", "B", "K", "i", "I",
    "ab", "aa", "aab", "aaa", "abb", "ac", "bc", "ba", "ba\n", "a\n", "a\nb", "\na", "\n", "ab\n", "cd", "a.b", "a b", "a\tb", "a]b", "a}b", "a{", "a{}", "a{x}", "a{1", "{", "{2}", "a-b",
    "[a]", "[", "]", ":]", "a]", "&", "-", "|", "~", "0", "1", "9", "_", " ", "\x01", "\x08", "\x0b", "\x1c", "\x1f", "\x85", "\xa0", "\u1680", "\u180e", "\u2003", "\u200b", "\u2028", "\u3000",
    "é", "É", "ß", "ẞ", "ſ", "\u212a", "\u0130", "\u0131", "\u0390", "\u1fd3", "\u03b0", "\u1fe3", "\ufb05", "\ufb06", "σ", "ς", "Σ", "µ", "μ", "Ü", "ü", "\u0300", "e\u0301", "٣", "²", "Ⅷ", "½", "中", "𝔘", "\U00010428", "\U00010400", "\u203f",
    "éa", "aé", "x", "éx", "x.", ".x", "aaaa", "\\", "\\n", "Q", "R", "K", "h", "p", "p{L}", "pL", "Qa.bE", "a.bE", "z", "Z", "G", "n", "AA", "8", "\x00a"[1:], "mso word", "word", "ms o",
]

ATOMS = ["a", "b", "c", ".", r"\.", r"\w", r"\d", r"\W", r"\s", r"\b", r"\B", "^", "$", r"\Z", "[ab]", "[^a]", "[a-c]", r"[\W_]", r"[^\Wa]", r"[\d.]", "é", r"\u00e9", "K", "i", "0", "_", " ", "-", "{", "]", r"\n"]
REPEATS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{,2}", "{1,}", "{1,2}?", "{0,3}", "{"]
LETTERS = "aabbcABK._0-9 éi\u0131\n"


def random_item(rng, depth, groups):
    roll = rng.random()
    if depth <= 0 or roll < 0.55:
        return rng.choice(ATOMS)
    if roll < 0.70:
        groups[0] += 1
        return "(" + random_pattern(rng, depth - 1, groups) + ")"
    opening = rng.choice(["(?:", "(?=", "(?!", "(?<=", "(?<!", "(?i:", "(?-i:", "(?s:", "(?m:", "(?>", "(?a:"])
    if roll < 0.92:
        return opening + random_pattern(rng, depth - 1, groups) + ")"
    if groups[0] == 0:
        return "b"
    number = rng.randint(1, groups[0])
    return rng.choice(["\\%d" % number, "(?(%d)a|b)" % number])


def random_pattern(rng, depth, groups):
    out = []
    for _ in range(rng.randint(1, 3)):
        out.append(random_item(rng, depth, groups))
        if rng.random() < 0.3:
            out.append(rng.choice(REPEATS))
        if rng.random() < 0.12:
            out.append("|")
    return "".join(out)


def random_pairs(rng, count):
    for _ in range(count):
        flags = rng.choice(["", "", "", "(?i)", "(?m)", "(?s)", "(?x)", "(?im)"])
        pattern = flags + random_pattern(rng, 3, [0])
        names = ["".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 8))) for _ in range(12)]
        yield pattern, names


def python_compile(pattern):
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, ValueError, RecursionError):
        return None


def ask(program, work):
    lines = []
    for pattern, names in work:
        lines.append("P " + pattern.encode("utf-8").hex())
        lines += ["N " + name.encode("utf-8").hex() for name in names]
    run = subprocess.run([program], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    return iter(run.stdout.splitlines())


class Score:
    def __init__(self):
        self.pairs = self.refused = self.wrong = self.limits = 0

    def complain(self, text):
        self.wrong += 1
        if self.wrong <= 40:
            print("not ok:", text)

    def pattern(self, pattern, answer, may_refuse):
        """Judges the answer to a pattern; the compiled one when both took it."""
        compiled = python_compile(pattern)
        if answer == "made":
            if compiled is None:
                self.complain(f"{pattern!r}: taken, but Python refuses it")
            return compiled
        self.refused += compiled is not None
        if compiled is not None and not (may_refuse and any(why in answer for why in REFUSALS)):
            self.complain(f"{pattern!r}: {answer}, but Python takes it")
        return None

    def name(self, pattern, compiled, name, answer, may_give_up):
        if compiled is None:
            return
        self.pairs += 1
        self.limits += answer == "limit"
        if answer == "limit" and not may_give_up:
            self.complain(f"{pattern!r} with {name!r}: gave up")
        wanted = "yes" if compiled.match(name) else "no"
        if answer != wanted and answer != "limit":
            self.complain(f"{pattern!r} with {name!r}: {answer}, but Python says {wanted}")


def main():
    warnings.simplefilter("ignore")
    program = sys.argv[1]
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 1500
    lists = [(FIELD, False), (DIFFERENT, True)]
    work = [(pattern, NAMES, may) for patterns, may in lists for pattern in patterns]
    work += [(pattern, names, True) for pattern, names in random_pairs(rng, count)]
    answers = ask(program, [(pattern, names) for pattern, names, _ in work])
    score = Score()
    for pattern, names, may_refuse in work:
        compiled = score.pattern(pattern, next(answers), may_refuse)
        for name in names:
            score.name(pattern, compiled, name, next(answers), may_refuse)
    print(f"{score.pairs} pairs compared, {score.refused} patterns refused as not supported, "
          f"{score.limits} pairs given up, {score.wrong} wrong")
    if score.pairs < 1000:
        score.complain("fewer than a thousand pairs were compared")
    return 1 if score.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
