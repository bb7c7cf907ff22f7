// SPDX-License-Identifier: MIT
// The shell: head line, tabs, keys, theme. Each page is a module page_<name>.js, loaded when it is first shown, that exports
//   show(place, params, signal): fills `place`; `signal` is aborted when the visitor leaves the page.
import { askOnce, begin, watch } from "./live.js";
import { learnRights } from "./api.js";
import { h, put } from "./dom.js";
import { go, link, route } from "./route.js";
import { age, ago, counted, sizeText } from "./text.js";

/** Name, title, key after "g". @type {[string, string, string][]} */
const PAGES = [
    ["overview", "Overview", "o"],
    ["symbols", "Symbols", "s"],
    ["servers", "Servers", "v"],
    ["requests", "Requests", "r"],
    ["adviser", "Adviser", "a"],
    ["configuration", "Configuration", "c"],
    ["logs", "Logs", "l"],
    ["connect", "Connect", "n"],
    ["about", "About", "b"],
];
const OTHERS = ["symbol"];
/* When each is dark. */
/** @type {Record<string, string>} */
const THEMES = { system: "(prefers-color-scheme: dark)", light: "not all", dark: "all" };
const MARKS = { good: "●", warning: "▲", bad: "■" };
const AGE_MS = 10000;

const page = /** @type {HTMLElement} */ (document.getElementById("page"));
const state = h("p", { class: "state", role: "status" });
const tabs = h("nav", { "aria-label": "pages" });
const search = /** @type {HTMLInputElement} */ (
    h("input", { type: "search", placeholder: "/ symbol, path or request id", "aria-label": "search symbols, or ask why" })
);
let leaving = new AbortController();
const icon = /** @type {HTMLLinkElement} */ (document.getElementById("icon"));
const COLOURS = { good: "#0b5cad", warning: "#b77900", bad: "#b3261e" };
/* Read at once: when it is to become red, the server may be gone. */
const drawn = fetch(icon.href).then((answer) => answer.text(), () => "");
let title = document.title;
let byKey = false;
let said = "";

function showTheme() {
    const theme = localStorage.getItem("theme") ?? "system";
    const dark = /** @type {any} */ ([...document.styleSheets[0].cssRules].find((rule) => "media" in rule));
    dark.media.mediaText = THEMES[theme];
    return theme;
}

function themeSwitch() {
    const button = h("button", { class: "theme", onclick: turn }, `theme: ${showTheme()}`);
    function turn() {
        const names = Object.keys(THEMES);
        localStorage.setItem("theme", names[(names.indexOf(showTheme()) + 1) % 3]);
        put(button, `theme: ${showTheme()}`);
        showPage();
    }
    return button;
}

/**
 * A path or an id asks why; a word searches.
 * @param {Event} event
 */
function find(event) {
    event.preventDefault();
    const words = search.value.trim();
    if (/\//.test(words)) go("symbol", { path: words });
    else if (/^[0-9a-f]{16}$/i.test(words)) go("symbol", { request: words });
    else go("symbols", { search: words });
}

function buildShell() {
    const head = h(
        "header",
        h("a", { class: "name", href: link("overview") }, title),
        state,
        h("form", { role: "search", onsubmit: find }, search),
        themeSwitch(),
    );
    put(tabs, PAGES.map(([name, word, key]) => h("a", { href: link(name), id: `tab-${name}`, title: `keys: g ${key}` }, word)));
    page.className = "";
    page.tabIndex = -1;
    document.body.prepend(h("a", { class: "skip", href: "#page", onclick: (/** @type {Event} */ e) => (e.preventDefault(), page.focus()) }, "to the content"), head, tabs);
}

async function showPage() {
    leaving.abort();
    const mine = (leaving = new AbortController());
    const { page: wanted, params } = route();
    const name = [...PAGES.map(([one]) => one), ...OTHERS].includes(wanted) ? wanted : "overview";
    for (const [one] of PAGES) {
        const tab = document.getElementById(`tab-${one}`);
        if (one === (name === "symbol" ? "symbols" : name)) {
            tab?.setAttribute("aria-current", "page");
            tab?.scrollIntoView({ block: "nearest" });
        } else tab?.removeAttribute("aria-current");
    }
    try {
        const module = await import(`./page_${name}.js`);
        if (mine.signal.aborted) return;
        page.replaceChildren();
        await module.show(page, params, mine.signal);
        if (byKey && document.activeElement !== search) /** @type {HTMLElement} */ (page.querySelector("tr[tabindex]") ?? page).focus();
        byKey = false;
    } catch (error) {
        if (!mine.signal.aborted) put(page, h("p", { class: "bad" }, error instanceof Error ? error.message : String(error)));
    }
}

/**
 * One line, in the title and the icon too.
 * @param {"good" | "warning" | "bad"} how
 * @param {...any} words
 */
function tell(how, ...words) {
    const mark = `${MARKS[how]} `;
    const line = h("p", h("b", mark), words);
    state.className = `state ${how}`;
    /* Times go on by themselves. */
    const now = [...line.childNodes].map((/** @type {any} */ part) => part.dateTime ?? part.textContent).join();
    if (now !== said) put(state, ...line.childNodes);
    said = now;
    document.title = (how === "good" ? "" : mark) + title;
    void drawn.then((svg) => (icon.href = `data:image/svg+xml,${encodeURIComponent(svg.replace(COLOURS.good, COLOURS[how]))}`));
}

/** @param {{answering: number, asked: number, total: number}} servers */
function serversTold({ answering, asked, total }) {
    if (!asked) return `${counted(total, "server")}, none asked yet`;
    return answering === total ? (total === 1 ? "the server answers" : `all ${total} servers answer`) : `${answering} of ${counted(total, "server")} answer`;
}

/**
 * Is it well?
 * @param {any} overview
 */
function showState(overview) {
    const { health, servers, disk, failure } = overview;
    title = overview.name;
    tell(
        health.state,
        health.state === "good" ? serversTold(servers) : [health.sentence, " ", h("span", { class: "cure" }, health.cure)],
        failure ? [` · ${failure.server} failed `, ago(failure.at_ms)] : null,
        ` · ${sizeText(disk.used)}${disk.counting ? " (counting)" : ""}, ${sizeText(disk.free)} free · `,
        overview.enabled ? ["since ", ago(overview.since_ms)] : "statistics are switched off",
    );
}

function keys() {
    let gone = 0;
    document.addEventListener("keydown", (event) => {
        const target = /** @type {HTMLElement} */ (event.target);
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (target.matches("input:not([type=checkbox]), select, textarea")) return event.key === "Escape" && target.blur();
        if (event.key === "/") {
            event.preventDefault();
            search.focus();
        } else if (event.key === "g") {
            gone = event.timeStamp;
        } else if (event.timeStamp - gone < 1500) {
            gone = 0;
            const found = PAGES.find(([, , key]) => key === event.key);
            byKey = Boolean(found);
            if (found) go(found[0]);
        }
    });
}

async function start() {
    buildShell();
    keys();
    await learnRights();
    watch("overview", showState, new AbortController().signal);
    watch("silent", (sentence) => sentence && tell("bad", sentence), new AbortController().signal);
    window.setInterval(age, AGE_MS);
    window.addEventListener("hashchange", showPage);
    window.addEventListener("popstate", showPage);
    await Promise.all([askOnce(), showPage()]);
    begin();
}

start();
