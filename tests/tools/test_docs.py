# SPDX-License-Identifier: MIT
"""The documentation holds together: links lead somewhere, and every path that is named is there."""

import pathlib
import re
import urllib.parse

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "bench" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = ("src/", "tests/", "tools/", "docs/", "bench/", "packaging/")
MADE = ("bench/results.md",)


def prose(page):
    """The text without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)


def anchors(page):
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = prose(page)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if urllib.parse.urlparse(link).scheme:
            continue
        target, _, anchor = link.partition("#")
        led = (page.parent / target).resolve() if target else page
        assert led.exists(), link
        if anchor:
            assert anchor in anchors(led), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_that_are_named_are_there(page):
    for named in re.findall(r"`([^`\n]+)`", prose(page)):
        for path in re.findall(r"[\w./*-]+", named):
            if path.startswith(FOLDERS) and path not in MADE:
                assert list(ROOT.glob(path.rstrip("/"))), path


def test_every_page_is_reached_from_the_readme():
    seen, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in seen:
            continue
        seen.add(page)
        if page.suffix == ".md":
            ahead += [(page.parent / link).resolve() for link in re.findall(r"\]\(([^)#\s]+)", prose(page))
                      if not urllib.parse.urlparse(link).scheme]
    pages = {page for page in (ROOT / "docs").rglob("*") if page.is_file()}
    manual = {ROOT / "docs" / "symgate.1"}
    decisions = set((ROOT / "docs" / "decisions").glob("0*.md"))
    assert pages - manual - decisions <= seen


def test_decisions_have_their_form():
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text()
        assert text.startswith("# ") and re.search(r"^\*\*Decided\.\*\* ", text, re.M), page.name
        assert "**Where.**" in text and len(text.split()) <= 300, page.name


def test_no_machine_is_named():
    """No path of a developer's machine, and nothing left to be done."""
    for page in PAGES:
        assert not re.search(r"/(work|tmp)/|TODO|FIXME", page.read_text()), page
