# SPDX-License-Identifier: MIT
"""The page as a visitor meets it: every page, by keyboard, with the numbers of what was asked."""

import json
import re
import sqlite3
import subprocess
import time
import urllib.parse

import pytest
from conftest import KEYS, server
from double.origin import Script, gate as at_gate, good, head, send, status
from program import ROOT, logging, material_folder, wait_until
from symbols import missing, pdb

PAGES = {
    "overview": "In flight",
    "symbols": "Symbols",
    "servers": "Servers",
    "requests": "Requests",
    "adviser": "Adviser",
    "configuration": "Effective configuration",
    "logs": "Logs",
    "connect": "_NT_SYMBOL_PATH=",
    "about": "Licences",
}
HOSTILE = ["<img src=x onerror=alert(1)>.pdb", "\u202egpj.exe", "x" * 200 + ".pdb", "'\";--.dll", "{{7*7}}.pdb", "c++ a%20b.pdb", "&lt;b&gt;.pdb"]


def ask_by_path(gate, name, id="0123456789ABCDEF0123456789ABCDEF1"):
    quoted = urllib.parse.quote(name, safe="")
    return gate.get(f"/symbols/{quoted}/{id}/{quoted}")


def api(gate, path):
    return json.loads(gate.get("/api/v1/" + path).body)


@pytest.fixture
def busy(start, origin):
    """Two hits, a fetch, an absence, a failure, an exclusion."""
    gate = start(server(origin), general={"blacklist": ["never"]})
    here, failing = pdb("here.pdb"), pdb("failing.pdb")
    origin.on(here.remote, good(here.body))
    origin.on(failing.remote, status(500))
    for _ in range(3):
        gate.fetch(here)
    gate.get(failing.path)
    gate.get(missing(1).path)
    gate.get(pdb("never.pdb").path)
    wait_until(lambda: json.loads(gate.get("/statistics.json").body)["numRequests"] == 6, "the sums")
    return gate


@pytest.mark.parametrize("route", PAGES)
def test_every_page_opens(busy, page, route):
    page.open(busy, route)
    page.wait_text(PAGES[route])
    assert page.find(f"#tab-{route}[aria-current=page]")
    assert page.run("return document.querySelectorAll('h1').length") == 1


def test_tiles_show_what_was_asked(busy, page):
    page.open(busy)
    page.wait_text("In flight")
    wait_until(lambda: len(page.find(".tile")) == 8, "the tiles")
    tiles = page.run("return [...document.querySelectorAll('.tile')].map(t => [t.children[1].textContent, t.children[0].textContent])")
    assert tiles[:5] == [["requests", "6"], ["excluded", "1"], ["successful", "3"], ["cache hits", "2"], ["symbols", "4"]]
    page.wait_text("failing.pdb", ".brief")
    page.wait_text("none.pdb")
    assert page.find("canvas[aria-label='requests by verdict, last 24 h']")


def test_first_paint_needs_no_script(busy):
    answer = busy.get("/")
    text = answer.body.decode()
    assert "<h2>Since 20" in text and "<td class=n>6<td" in text.replace("</td>", "") and "failing.pdb" in text and "<style" not in text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?! type=module src=/web/)", text) and " style=" not in text and "onclick" not in text


def test_files_of_the_page(busy):
    text = busy.get("/").body.decode()
    folder = re.search(r"/web/[0-9a-f]+/", text)[0]
    answer = busy.get(folder + "main.js")
    assert answer.status == 200 and "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    for path in (folder + "none.js", "/web/0000/main.js", "/web/", folder, folder + "../main.js"):
        assert busy.get(path).status == 404, path
    names = [path.name for path in (ROOT / "web").iterdir() if path.suffix in (".js", ".css", ".svg")]
    sizes = [len(busy.get(folder + name).body) for name in names]
    assert len(sizes) > 20 and sum(sizes) <= 60 * 1024, sum(sizes)


def test_types_are_right():
    done = subprocess.run(
        ["tsc", "--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022", "--module", "es2022",
         "--moduleResolution", "node", "--lib", "es2022,dom,dom.iterable", *map(str, (ROOT / "web").glob("*.js"))],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_foreign_host_learns_nothing(busy):
    answer = busy.get("/", host="evil.example")
    assert answer.status == 200 and b"identity.host" in answer.body
    assert b"failing.pdb" not in answer.body and b"<script" not in answer.body


# --- tables


def test_symbols_are_searched_and_sorted_in_the_address(busy, page):
    page.open(busy, "symbols")
    page.wait_text("here.pdb")
    assert page.run("return document.querySelector('tbody tr').innerText").startswith("here.pdb")
    page.click("th button", "Symbol")
    wait_until(lambda: "sort=file" in page.driver.current_url, "the order in the address")
    wait_until(lambda: page.run("return document.querySelector('tbody tr').innerText").startswith("none.pdb"), "the last name first")
    assert page.find("th[aria-sort=descending]")
    page.find("input[name=search]")[0].send_keys("fail")
    wait_until(lambda: page.run("return document.querySelectorAll('tbody tr').length") == 1, "one row")
    assert "search=fail" in page.driver.current_url
    page.driver.refresh()
    page.wait_text("failing.pdb")
    assert "none.pdb" not in page.text("tbody")


def test_a_symbols_own_page_shows_its_history(busy, page):
    page.open(busy, "symbol", name="here.pdb")
    page.wait_text("3 requests, 3 successful, 2 hits")
    drawn = """const chart = window.Chart?.getChart(document.querySelector("canvas[aria-label='its requests']"));
        return chart && Object.fromEntries(chart.data.datasets.map(d => [d.label, d.data.reduce((a, b) => a + b)]))"""
    wait_until(lambda: page.run(drawn), "the chart")
    assert page.run(drawn) == {"hit": 2, "fetched": 1}


def test_row_opens_by_keyboard_and_says_why(busy, page):
    page.open(busy, "requests", verdict="failed")
    page.wait_text("failing.pdb")
    page.run("document.querySelector('tbody tr').focus()")
    page.press(KEYS.ENTER)
    page.wait_text("is in trouble itself (status 500)", "tr.opened")
    assert page.find("tr[aria-expanded=true]")
    page.press(KEYS.ESCAPE)
    wait_until(lambda: not page.find("tr.opened"), "the row closed")


def test_keys_lead_to_pages(busy, page):
    page.open(busy)
    page.wait_text("In flight")
    for key, route in (("s", "symbols"), ("v", "servers"), ("r", "requests"), ("o", "overview")):
        page.press("g", key)
        wait_until(lambda r=route: page.find(f"#tab-{r}[aria-current=page]"), route)
    page.press("/")
    page.press("here", KEYS.ENTER)
    wait_until(lambda: "#/symbols?search=here" in page.driver.current_url, "the search")
    page.wait_text("here.pdb")


def test_columns_are_chosen_and_kept(busy, page):
    page.open(busy, "symbols")
    page.wait_text("here.pdb")
    page.click(".columns summary")
    page.click(".columns label", "one: hits")
    wait_until(lambda: "one: hits" in page.text("thead"), "the column")
    page.driver.refresh()
    wait_until(lambda: "one: hits" in page.text("thead"), "the column again")
    page.run("localStorage.clear()")


# --- what happens now


def test_transfers_in_flight(start, origin, page):
    gate = start(server(origin))
    symbol = pdb("coming.pdb", size=4 << 20)
    origin.on(symbol.remote, Script(symbol.body, head(), send(1 << 20), at_gate("hold"), send()))
    page.open(gate)
    page.wait_text("Nothing is under way.")
    download = gate.get_later(symbol.path)
    page.wait_text("coming.pdb", ".transfers")
    wait_until(lambda: page.find(".transfers progress"), "the bar")
    share = page.run("const p = document.querySelector('.transfers progress'); return p.value / p.max")
    assert 0.2 < share < 0.3
    origin.open("hold")
    assert download.result().status == 200
    page.wait_text("Nothing is under way.")
    wait_until(lambda: page.run("return document.querySelector('.tile b').textContent") == "1", "the request counted")


def test_empty_page_teaches(start, origin, page):
    gate = start(server(origin))
    page.open(gate)
    wait_until(lambda: page.run("return document.querySelector('header, nav') !== null"), "the live page")
    time.sleep(3)  # the first events have come
    page.wait_text("_NT_SYMBOL_PATH=srv*http://localhost/symbols")
    del gate.config["identity"]["default_sympath"]
    gate.restart()
    page.open(gate)
    time.sleep(3)
    page.wait_text(f"_NT_SYMBOL_PATH=srv*{page.url}/symbols")
    assert page.find(".teach a")[0].get_attribute("href").startswith(f"{page.url}/symbols/ntdll.pdb/")
    page.wait_text("1 server, none asked yet", ".state")


def test_a_page_left_open_says_when_the_server_is_gone(busy, page):
    page.open(busy)
    wait_until(lambda: page.run("return document.title") == "scenario", "the good title")
    colour = "return /fill%3D%22%23(\\w+)/.exec(document.getElementById('icon').href)[1]"
    wait_until(lambda: page.run(colour) == "0b5cad", "the good icon")
    assert "● the server answers" in page.text(".state") and "failed" in page.text(".state")
    busy.stop()
    page.wait_text("■ The server does not answer", ".state")
    assert page.run("return document.title").startswith("■ ")
    assert page.run(colour) == "b3261e"
    page.driver.get_log("browser")  # that it cannot be reached is no complaint


def test_times_go_on(busy, page):
    page.open(busy)
    before = page.run("return document.querySelector('.state time').textContent")
    wait_until(lambda: page.run("return document.querySelector('.state time').textContent") != before, "another time")


def test_all_ids_of_a_symbol_can_be_seen(busy, page):
    for n in range(205):
        ask_by_path(busy, "many.pdb", f"{n:032X}1")
    page.open(busy, "symbol", name="many.pdb")
    wait_until(lambda: len(page.find(".ids > li")) == 200, "the first ids")
    page.click("button", "more ids")
    wait_until(lambda: len(page.find(".ids > li")) == 205, "the others")
    assert len(set(page.run("return [...document.querySelectorAll('.ids > li > code')].map(c => c.textContent)"))) == 205
    assert "more ids" not in page.text()


def test_requests_of_one_id_are_told_apart(busy, page):
    """A build gives all its requests the same id."""
    for name in ("failing.pdb", "here.pdb"):
        busy.get(pdb(name).path, headers={"X-Request-Id": "build-42"})
    page.open(busy, "requests", search="failing")
    page.wait_text("failing.pdb", "tbody")
    page.run("document.querySelector('tbody tr').click()")
    page.wait_text("is in trouble itself (status 500)", "tr.opened")


def test_invisible_characters_are_seen(busy, page):
    for sign in "\u00ad\u061c\u2028\u3164\U000e0041":
        ask_by_path(busy, f"ke{sign}rnel32.pdb")
    page.open(busy, "symbols", search="rnel32")
    for shown in ("u00ad", "u061c", "u2028", "u3164", "ue0041"):
        page.wait_text(f"ke\\{shown}rnel32.pdb", "tbody")


def test_the_head_line_is_written_when_it_changes(busy, page):
    page.open(busy)
    page.wait_text("answers", ".state")
    page.run("window.n = 0; new MutationObserver(() => window.n++).observe(document.querySelector('.state'), {childList: true})")
    tile = "return [...document.querySelectorAll('.tile')][3].firstChild.textContent"
    before = int(page.run(tile))
    for n in range(3):
        busy.fetch(pdb("here.pdb"))
        wait_until(lambda wanted=before + n + 1: int(page.run(tile)) == wanted, "the hit")
    assert page.run("return window.n") <= 1  # its times go on


def test_a_server_tells_which_rules_were_made(busy, page):
    assert busy.get("/api/v1/rules?list=blacklist&server=one&value=zz&comment=noisy", method="POST").status == 200
    page.open(busy, "servers")
    page.wait_text("good")
    page.run("document.querySelector('tbody tr').click()")
    page.wait_text("noisy", "tr.opened")
    assert "blacklist, page" in page.text("tr.opened")


def test_keys_work_on_after_sorting(busy, page):
    page.open(busy, "symbols")
    page.wait_text("here.pdb")
    page.run("[...document.querySelectorAll('th button')].find(b => b.textContent.startsWith('Bytes')).focus()")
    page.press(KEYS.ENTER)
    wait_until(lambda: "sort=bytes" in page.driver.current_url, "the order in the address")
    wait_until(lambda: page.run("return document.activeElement.textContent").startswith("Bytes"), "the focus where it was")
    page.run("document.querySelector('tbody tr').focus()")
    page.press(KEYS.ESCAPE)
    assert page.run("return document.activeElement.tagName") == "TR"


FOCUSED = "const on = document.activeElement; return [on.tagName, on.closest('[data-key]')?.textContent ?? '']"


def test_the_focus_stays_while_the_page_lives(busy, page):
    page.open(busy)
    page.wait_text("failing.pdb", ".brief")
    page.run("document.querySelector('.brief button').focus(); window.before = document.activeElement")
    where = page.run(FOCUSED)
    assert where[0] == "BUTTON" and "failing.pdb" in where[1]
    wait_until(lambda: not page.run("return window.before.isConnected"), "the list painted anew")
    assert page.run(FOCUSED)[0] == "BUTTON" and "failing.pdb" in page.run(FOCUSED)[1]


def test_the_focus_stays_on_its_row(busy, page):
    page.open(busy, "requests")
    page.wait_text("never.pdb")
    for selector, tag in (("tbody tr", "TR"), ("tbody tr a", "A")):
        page.run("document.querySelector(arguments[0]).focus()", selector)
        where = page.run(FOCUSED)
        for n in range(3):
            ask_by_path(busy, f"news{tag.lower()}{n}.pdb")
        page.wait_text(f"news{tag.lower()}2.pdb", "tbody")
        now = page.run(FOCUSED)
        assert now[0] == where[0] == tag and now[1].split(".pdb")[0][-5:] == where[1].split(".pdb")[0][-5:]


def test_escape_closes_a_row_from_within(busy, page):
    page.open(busy, "symbols")
    page.wait_text("here.pdb")
    page.run("document.querySelector('tbody tr').focus()")
    page.press(KEYS.ENTER)
    wait_until(lambda: page.find("tr.opened a, tr.opened button"), "the row open")
    page.run("document.querySelector('tr.opened a, tr.opened button').focus()")
    page.press(KEYS.ESCAPE)
    wait_until(lambda: not page.find("tr.opened"), "the row closed")
    assert page.run("return document.activeElement.tagName") == "TR"


def test_a_log_is_followed_over_its_rotation(make, origin, tmp_path, page):
    gate = make(server(origin), logging=logging(tmp_path / "a.log", maxBytes=20000, backupCount=2)).start()
    for n in range(3):
        ask_by_path(gate, f"first{n}.pdb")
    page.open(gate, "logs")
    page.wait_text("first2.pdb", "pre.log")
    asked = 0
    while not (tmp_path / "a.log.1").exists():
        ask_by_path(gate, f"more{asked}.pdb")
        asked += 1
    ask_by_path(gate, "rotated.pdb")
    page.wait_text("rotated.pdb", "pre.log")


# --- changes


def test_rule_is_added_and_taken_back(busy, page):
    page.open(busy, "symbol", name="here.pdb")
    page.wait_text("general.blacklist")
    shown = "return [...document.querySelectorAll('form.rule button')].map(b => b.offsetParent !== null && b.textContent)"
    assert "add rule" not in page.run(shown)  # not before it is seen what it would do
    page.click("form.rule button", "what would it do?")
    page.wait_text("Of the last day it meets", ".preview")
    page.run("const i = document.querySelector('form.rule input'); i.value += 'x'; i.dispatchEvent(new Event('input', { bubbles: true }))")
    assert "add rule" not in page.run(shown) and page.text(".preview") == ""  # that was another rule
    page.run("const i = document.querySelector('form.rule input'); i.value = i.value.slice(0, -1)")
    page.click("form.rule button", "what would it do?")
    wait_until(lambda: "add rule" in page.run(shown), "the button")
    page.click("form.rule button", "add rule")
    page.wait_text("is in force", "#said")
    (rule,) = api(busy, "rules")
    assert rule["value"] == "(?i)here\\.pdb$" and rule["origin"] == "page"
    assert busy.get(pdb("here.pdb").path).verdict == "excluded"
    page.open(busy, "configuration")
    page.wait_text("here\\.pdb$", ".rules")
    page.click(".rules button", "undo")
    page.wait_text("No rules")
    assert api(busy, "rules") == []


def test_forget_and_fetch(busy, page):
    page.open(busy, "symbol", name="here.pdb")
    page.click(".ids button", "more")
    page.wait_text("Its last requests", ".ids")
    assert page.run("return [...document.querySelectorAll('.ids .verdict')].map(v => v.textContent)").count("fetched") == 1
    page.click(".acts button", "forget")
    page.wait_text("1 files", "#said")
    page.click(".acts button", "fetch now")
    page.wait_text("the search is under way", "#said")
    wait_until(lambda: busy.shelf_files(), "the file again")


def test_without_rights_it_is_read_only(make, origin, own_address, page):
    gate = make(server(origin), general={"adminToken": "sesame"}, args=["--listen", f"{own_address}:0"]).start()
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.open(gate, "servers", url=gate.url)
    page.wait_text("Read-only.")
    page.run("document.querySelector('tbody tr').click()")
    wait_until(lambda: page.find("tr.opened button:disabled"), "the buttons")
    page.open(gate, "configuration", url=gate.url)
    page.wait_text("Shown to those who may change things.")
    page.find("#token")[0].send_keys("wrong", KEYS.ENTER)
    page.wait_text("That token is not the one", "#said")
    page.find("#token")[0].clear()
    page.find("#token")[0].send_keys("sesame", KEYS.ENTER)
    page.wait_text("This tab may change things now.", "#said")
    wait_until(lambda: not page.find("#token"), "the form gone")
    page.run("sessionStorage.clear()")


# --- hostile and large


def test_hostile_names_are_text(start, origin, page):
    gate = start(server(origin))
    for name in HOSTILE:
        ask_by_path(gate, name)
    gate.get("/symbols/%3Cscript%3Ealert(1)%3C/script%3E?<b>")
    for route in ("overview", "symbols", "requests", "servers", "adviser"):
        page.open(gate, route)
        page.wait_text("&lt;b&gt;.pdb" if route in ("symbols", "requests") else PAGES[route])
        assert not page.find("main img, main b b, main script")
        assert page.run("return document.documentElement.scrollWidth <= innerWidth"), route
    names = [row["file"] for row in api(gate, "symbols")["rows"]]
    assert len(names) == len(HOSTILE)
    for name in names:
        page.open(gate, "symbol", name=name)
        page.wait_text(name.replace("\u202e", "\\u202e"), "h1")  # made visible
        assert not page.find("main img, main script")


def test_statistics_off_are_told(start, origin, page):
    gate = start(server(origin), general={"enableStatistics": False})
    gate.get(missing(1).path)
    page.open(gate, "about")
    page.wait_text("switched off")
    page.open(gate, "requests")
    page.wait_text("No request fits")
    page.wait_text("statistics are switched off", ".state")
    page.open(gate)
    page.wait_text("Statistics are switched off (general.enableStatistics)")
    assert api(gate, "servers")[0]["p50_ms"] > 0
    page.wait_text("Not recorded.")
    assert "Nobody has asked" not in page.text()


@pytest.mark.parametrize("width", [360, 800, 1400, 2560])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_sideways_scroll_and_enough_contrast(busy, page, width, theme):
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    try:
        page.open(busy)
        page.run("localStorage.setItem('theme', arguments[0])", theme)
        for route in PAGES:
            page.open(busy, route)
            page.wait_text(PAGES[route])
            assert page.run("return document.documentElement.scrollWidth <= innerWidth"), route
            assert page.run(CONTRAST) == [], (route, theme)
            assert page.run(NAMELESS) == [], route
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(
    (told) => done(told.violations.map((one) => [one.id, one.impact, one.nodes.map((node) => node.html.slice(0, 120))])),
    (error) => done(String(error)));
"""
OPENED = "document.querySelector('tbody tr[tabindex], .ids button, .brief button')?.click()"


@pytest.mark.parametrize("admin", [True, False])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_core_has_nothing_to_say(make, origin, own_address, page, theme, admin):
    """Every page, with a row open, for who may change things and who may not."""
    folder = material_folder()
    assert folder, "tools/fetch_material has not been run"
    (script,) = folder.glob("axe-core-*/axe.min.js")
    gate = make(server(origin), server("http://127.0.0.1:1", "dead"), general={"adminToken": "sesame", "blacklist": ["never"]},
                args=[] if admin else ["--listen", f"{own_address}:0"]).start()
    for symbol in (pdb("here.pdb"), missing(1), pdb("never.pdb")):
        gate.get(symbol.path)
    url = None if admin else gate.url
    page.open(gate, url=url)
    page.run("localStorage.setItem('theme', arguments[0])", theme)
    for route, text in {**PAGES, "symbol": "here.pdb"}.items():
        page.open(gate, route, url=url, **({"name": "here.pdb"} if route == "symbol" else {}))
        page.wait_text(text)
        page.run(OPENED)
        page.run(script.read_text())
        assert page.driver.execute_async_script(AXE) == [], (route, theme)


# Texts whose contrast with what is behind them is under 4.5 (WCAG 2.1, 1.4.3); what is disabled is let off.
CONTRAST = """
function parts(c) { const n = c.match(/[\\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; }
function light(c) { return c.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0); }
function behind(e) { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor); if (c[3] > 0) return c; } return [255, 255, 255, 1]; }
const bad = [];
for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.getClientRects().length || e.closest(':disabled')) continue;
    const a = light(parts(getComputedStyle(e).color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.push(`${e.tagName}.${e.className} ${e.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
}
return bad;
"""

# Controls and pictures without a name for those who do not see them; ids that are there twice; tables without heads.
NAMELESS = """
const bad = [];
const named = e => (e.getAttribute('aria-label') || e.labels?.length && [...e.labels].map(l => l.textContent).join('') || e.textContent || e.title).trim();
for (const e of document.querySelectorAll('a, button, input, select, textarea, canvas, progress, nav, summary')) if (!named(e)) bad.push(e.outerHTML.slice(0, 80));
const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) bad.push('twice: ' + id);
for (const t of document.querySelectorAll('table')) if (!t.querySelector('th[scope=col]')) bad.push('a table without heads');
for (const e of document.querySelectorAll('[tabindex]')) if (e.tabIndex > 0) bad.push('an order of its own: ' + e.outerHTML.slice(0, 80));
if (!document.documentElement.lang || !document.title || !document.querySelector('main')) bad.push('no language, title or main');
return bad;
"""


def test_server_is_tested_now(busy, page):
    page.open(busy, "servers")
    page.wait_text("good")
    page.run("document.querySelector('tbody tr').click()")
    page.click("tr.opened button", "test now")
    page.wait_text("It answers within", "#said")


def test_edited_configuration_is_checked(busy, page):
    page.open(busy, "configuration")
    page.click("button", "check it")
    page.wait_text("It is in order.", "#said")
    assert "error:" not in page.text()
    page.run("const t = document.querySelector('textarea'); t.value = t.value.replace('\"general\"', '\"generel\"')")
    page.click("button", "check it")
    page.wait_text("generel", "main [role=status]")


def test_rule_shows_what_it_would_have_done(busy, page):
    page.open(busy, "symbol", name="here.pdb")
    page.click("form.rule button", "what would it do?")
    page.wait_text("Of the last day it meets 3 requests, 3 of which got a file.", ".preview")
    page.wait_text("and loses 3 files.", ".preview")


def test_a_hundred_thousand_symbols(start, origin, page):
    """Written into the book while nobody has it open, as a year of requests would have."""
    gate = start(server(origin))
    gate.get(missing(1).path)
    wait_until(lambda: api(gate, "symbols")["total"] == 1, "the book")
    gate.stop()
    with sqlite3.connect(gate.data / "statistics.db") as book:
        book.executemany(
            "INSERT INTO names VALUES (?, ?, 0, ?, 0, ?, ?, 1700000000)",
            ((f"module{n:06}.pdb", n + 2, n // 2, n * 1000, n * 10) for n in range(100_000)))
    gate.start()
    page.open(gate, "symbols")
    page.wait_text("1–100 of 100\u202f001")
    assert page.run("return document.querySelector('tbody tr').innerText").startswith("module099999.pdb")
    page.find("input[name=search]")[0].send_keys("e0999")
    wait_until(lambda: page.run("return document.querySelectorAll('tbody tr').length") == 100, "the rows that fit")
    assert page.run("return [...document.querySelectorAll('tbody tr')].every(r => r.innerText.includes('e0999'))")
    page.open(gate, "symbols", offset=100_000)
    page.wait_text("100\u202f001–100\u202f001 of 100\u202f001")
    page.open(gate)
    wait_until(lambda: page.run("return document.querySelectorAll('.tile b')[4]?.textContent") == "100\u202fk", "the tile")
