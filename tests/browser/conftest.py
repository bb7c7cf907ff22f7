# SPDX-License-Identifier: MIT
"""A real Chromium in front of the scenarios' programs."""

import importlib.util
import pathlib
import subprocess
import sys
import urllib.parse

import pytest

SCENARIO = pathlib.Path(__file__).resolve().parents[1] / "scenario"
sys.path[:0] = [str(SCENARIO.parent), str(SCENARIO)]
_spec = importlib.util.spec_from_file_location("scenario_conftest", SCENARIO / "conftest.py")
_scenario = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_scenario)
make, start, origin, second, server = _scenario.make, _scenario.start, _scenario.origin, _scenario.second, _scenario.server
own_address = _scenario.own_address

from program import wait_until  # noqa: E402
from selenium import webdriver  # noqa: E402
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

OWN = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
REACHED = ", ".join(f"EXCLUDE {name}" for name in ["localhost", "127.0.0.1", *(one for one in OWN if ":" not in one)])
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
           "--no-first-run", "--disable-component-update", "--window-size=1400,900",
           f"--host-resolver-rules=MAP * ~NOTFOUND, {REACHED}")


class Page:
    """The page of one program, in a browser that reaches nothing else."""

    def __init__(self, driver):
        self.driver = driver
        self.url = None

    def open(self, gate, route="overview", url=None, **params):
        self.url = url or gate.url.replace("127.0.0.1", "localhost")
        query = "?" + urllib.parse.urlencode(params) if params else ""
        self.driver.get("about:blank")
        self.driver.get(f"{self.url.rstrip('/')}/#/{route}{query}")
        return self.settled(route)

    def settled(self, route):
        """Waits until the page that the tabs show is there."""
        wait_until(lambda: self.find("nav a") and self.find("main > *") and not self.find("main.report"), route)
        return self

    def find(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector="body"):
        return self.driver.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def wait_text(self, text, selector="main"):
        wait_until(lambda: text in self.text(selector), f"{text!r} in {selector}")

    def press(self, *keys):
        action = webdriver.ActionChains(self.driver)
        for key in keys:
            action = action.send_keys(key)
        action.perform()

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def click(self, selector, containing=""):
        def pressed():
            try:
                meant = next((one for one in self.find(selector) if containing in one.text), None)
                return meant and (meant.click() or True)
            except StaleElementReferenceException:  # painted anew in between
                return False

        wait_until(pressed, f"{selector} {containing}")

    def complaints(self):
        """What the console has said since it was asked last, but for answers that a test provokes."""
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]


@pytest.fixture(scope="session")
def driver():
    options = webdriver.ChromeOptions()
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    it = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    yield it
    it.quit()


@pytest.fixture
def page(driver):
    """Every test ends without a complaint in the console."""
    driver.get("about:blank")
    driver.get_log("browser")
    it = Page(driver)
    yield it
    assert it.complaints() == []


KEYS = Keys
