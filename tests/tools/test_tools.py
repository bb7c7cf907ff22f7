# SPDX-License-Identifier: MIT
"""The checkers find what they are there to find: each breach is planted in a small tree of its own."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPDX = "// SPDX-License-Identifier: MIT\n"
GOOD_HEADER = SPDX + "#pragma once\n\n// Gives one.\nint one(void);\n"


@pytest.fixture
def tree(tmp_path):
    """A tree in order: two floors, two folders on the upper one."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    shutil.copy(ROOT / ".clang-format", tmp_path)
    for folder in ("base", "store", "source"):
        (tmp_path / "src" / folder).mkdir(parents=True)
    (tmp_path / "src/meson.build").write_text("floors = [\n  ['base'],\n  ['store', 'source'],\n]\n")
    (tmp_path / "src/base/one.h").write_text(GOOD_HEADER)
    (tmp_path / "src/store/two.h").write_text(SPDX + '#pragma once\n#include "base/one.h"\n')
    return tmp_path


def run(tree, tool):
    done = subprocess.run([sys.executable, tree / "tools" / tool], capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def write(tree, name, text):
    (tree / "src" / name).write_text(SPDX + text)


@pytest.mark.parametrize("tool", ["check_floors", "tidy"])
def test_a_tree_in_order_passes(tree, tool):
    code, said = run(tree, tool)
    assert code == 0 and "in order" in said


@pytest.mark.parametrize("name, include, why", [
    ("base/up.c", "store/two.h", "upward"),
    ("source/across.c", "store/two.h", "across"),
    ("base/bare.c", "one.h", "names its folder"),
    ("base/gone.c", "base/gone.h", "no such file"),
])
def test_an_include_off_its_floor_is_found(tree, name, include, why):
    write(tree, name, f'#include "{include}"\n')
    code, said = run(tree, "check_floors")
    assert code == 1 and f"src/{name}:2" in said and why in said


def test_a_cycle_of_headers_is_found(tree):
    write(tree, "base/a.h", '#pragma once\n#include "base/b.h"\n')
    write(tree, "base/b.h", '#pragma once\n#include "base/a.h"\n')
    code, said = run(tree, "check_floors")
    assert code == 1 and "base/a.h → base/b.h → base/a.h" in said


LONG_BODY = "    one();\n" * 69


@pytest.mark.parametrize("name, text, why", [
    ("base/bare.h", "#pragma once\nint bare(void);\n", "bare.h:3: no comment"),
    ("base/wrapped.h", "#pragma once\n\nint wrapped(int first,\n            int second);\n", "wrapped.h:4: no comment"),
    ("base/needy.h", "#pragma once\n\n// Needs a type.\nsize_t needy(void);\n", "needy.h: does not compile alone"),
    ("base/long.c", f"int one(void);\nvoid far(void) {{\n{LONG_BODY}}}\n", "far"),
    ("base/huge.c", "// line\n" * 500, "501 lines"),
    ("base/banned.c", "static int number(const char *text) {\n    return atoi(text);\n}\n", "banned.c:3: atoi is banned"),
    ("base/jump.c", "static void jump(void) {\nend:\n    goto end;\n}\n", "goto is banned"),
    ("base/typed.h", "#pragma once\ntypedef struct one one;\n", "no typedef"),
    ("base/ugly.c", "static int  ugly ;\n", "not as clang-format has it"),
])
def test_a_breach_of_style_is_found(tree, name, text, why):
    write(tree, name, text)
    code, said = run(tree, "tidy")
    assert code == 1 and f"src/{name}" in said
    assert why in said or (why == "far" and "a function of 71 lines" in said), said


def test_what_only_comments_and_strings_say_is_no_breach(tree):
    write(tree, "base/said.c", '// goto, atoi(x)\nstatic const char said[] = "strcpy(a, b); goto";\n')
    assert run(tree, "tidy")[0] == 0


def test_a_missing_licence_line_is_found(tree):
    (tree / "src/base/bare.c").write_text("static int bare;\n")
    code, said = run(tree, "tidy")
    assert code == 1 and "src/base/bare.c:1: the first line" in said


def installer(tree, tmp_path, *lists):
    """install_packages with nothing in PATH but what it needs to look: no apt-get, no sudo."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("cat", "sh"):
        (tools / name).symlink_to(shutil.which(name))
    (tools / "dpkg-query").write_text("#!/bin/sh\n[ \"$3\" = there ] && printf installed\n")
    (tools / "dpkg-query").chmod(0o755)
    return subprocess.run([tree / "tools/install_packages", *lists], capture_output=True, text=True, check=False,
                          env={"PATH": str(tools), "HOME": os.environ.get("HOME", "/")})


def test_missing_packages_are_named_where_there_is_no_apt(tree, tmp_path):
    wanted = tmp_path / "wanted"
    wanted.write_text("# a comment\nthere\nnot-there\nneedless sh\n")
    done = installer(tree, tmp_path, wanted)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["packages needed (Debian 12 names): there not-there needless", "to be installed: not-there"]
    assert done.stderr == "install_packages: there is no apt-get here; missing: not-there\n"


def test_nothing_is_done_where_all_packages_are_there(tree, tmp_path):
    wanted = tmp_path / "wanted"
    wanted.write_text("there\n")
    done = installer(tree, tmp_path, wanted)
    assert done.returncode == 0 and "all of them are there" in done.stdout
