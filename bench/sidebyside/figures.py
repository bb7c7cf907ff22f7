# SPDX-License-Identifier: MIT
"""Figures and their targets, as lines for the terminal and as a table for the README."""
import dataclasses
import re

MARK_BEGIN = "<!-- bench -->"
MARK_END = "<!-- /bench -->"


@dataclasses.dataclass
class Figure:
    text: str
    value: float  # None: not measured, for lack of a program to measure
    unit: str = ""
    at_least: float = None
    at_most: float = None
    peers: str = ""  # what nginx and symgate did, where the value is a ratio of both
    digits: int = 2

    def target(self):
        if self.at_least is not None:
            return f"≥ {self.at_least:g}{self.unit}"
        if self.at_most is not None:
            return f"≤ {self.at_most:g}{self.unit}"
        return "–"

    def reached(self):
        if self.value is None:
            return True
        if self.at_least is not None:
            return self.value >= self.at_least
        return self.at_most is None or self.value <= self.at_most

    def verdict(self):
        if self.value is None or (self.at_least is None and self.at_most is None):
            return ""
        return "ok" if self.reached() else "MISSED"

    def shown(self):
        return "–" if self.value is None else f"{self.value:.{self.digits}f}{self.unit}"


class Report:
    """Collects figures; prints each as soon as it is known."""

    def __init__(self, head):
        self.head = head
        self.figures = []
        self.errors = []

    def add(self, text, value, **details):
        figure = Figure(text, value, **details)
        self.figures.append(figure)
        print(f"  {figure.text:<74} {figure.shown():>12}  {figure.target():<12} {figure.verdict():<7} {figure.peers}", flush=True)

    def fail(self, job, error):
        self.errors.append((job, error))
        print(f"  {job}: ERROR: {error}", flush=True)

    def missed(self):
        return [figure for figure in self.figures if not figure.reached()]

    def markdown(self):
        lines = [self.head, "", "| figure | measured | target | | per server |", "|---|---|---|---|---|"]
        for figure in self.figures:
            verdict = "**missed**" if figure.verdict() == "MISSED" else figure.verdict()
            lines.append(f"| {figure.text} | {figure.shown()} | {figure.target()} | {verdict} | {figure.peers} |")
        lines += [f"| {job}: could not be measured | – | – | **error** | |" for job, _ in self.errors]
        return "\n".join(lines) + "\n"

    def write_into(self, readme):
        """Puts the table between the marks of a Markdown file, or at its end with marks."""
        block = f"{MARK_BEGIN}\n{self.markdown()}{MARK_END}"
        text = readme.read_text() if readme.exists() else ""
        marked = re.compile(re.escape(MARK_BEGIN) + ".*?" + re.escape(MARK_END), re.DOTALL)
        if marked.search(text):
            text = marked.sub(lambda _: block, text)
        else:
            text += f"\n## Side by side with nginx\n\n{block}\n"
        readme.write_text(text)
