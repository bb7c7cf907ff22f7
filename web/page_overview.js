// SPDX-License-Identifier: MIT
import { get } from "./api.js";
import { showHistory } from "./chart.js";
import { copied, h, panel, put } from "./dom.js";
import { watch } from "./live.js";
import { adviceList } from "./page_adviser.js";
import { change, link, TEST } from "./route.js";
import { ruleForm, asPattern } from "./rule.js";
import { ago, number, percent, short, size, sizeText, spanText, verdict } from "./text.js";
import { showTransfers } from "./transfers.js";
import { symbolDetails } from "./page_symbol.js";
import { why } from "./why.js";

const RANGES = { hour: "1 h", day: "24 h", week: "7 d", month: "30 d" };
const CHARTS = { requests: "requests by verdict", waits: "waiting time", hits: "hit rate", bytes: "bytes" };
const AGAIN_MS = 10000;
const MISSING_MS = 60000; // all names are looked at for it
let looked = 0;
let recorded = true;

/** @param {any} overview */
function tiles(overview) {
    const t = overview.tiles;
    const accepted = t.numAcceptedRequests;
    /** @type {[string, any, any][]} */
    const shown = [
        ["requests", number(t.numRequests), t.numPending ? `${short(t.numPending)} wait` : ""],
        ["excluded", number(t.numExcluded), percent(t.numExcluded, t.numRequests)],
        ["successful", number(t.numSuccess), percent(t.numSuccess, accepted)],
        ["cache hits", number(t.numCacheHit), percent(t.numCacheHit, accepted)],
        ["symbols", number(t.numSymbols), ""],
        ["storage", size(overview.disk.used), `${sizeText(overview.disk.free)} free`],
        ["time saved", spanText(overview.saved.seconds * 1000), "by hits"],
        ["bytes saved", size(overview.saved.bytes), "by hits"],
    ];
    return shown.map(([word, value, more]) => h("div", { class: "tile" }, h("b", value), h("span", word), h("small", more)));
}

/**
 * What to do first, when nobody has asked yet.
 * @param {any} overview
 */
function teach(overview) {
    if (!overview.enabled) return h("div", { class: "teach" }, "Statistics are switched off (general.enableStatistics): nothing is counted, listed or advised here.");
    if (overview.tiles.numRequests) return [];
    const lines = overview.servers.total
        ? ["Nobody has asked for a symbol yet. Point a debugger here:", copied(`_NT_SYMBOL_PATH=${overview.sympath || `srv*${location.origin}/symbols`}`), h("a", { href: `/${TEST}` }, "test it"), ", "]
        : ["There is no server to ask. Add one to the configuration:", copied('"servers": [{"identifier": "microsoft", "remote": "https://msdl.microsoft.com/download/symbols"}]')];
    return h("div", { class: "teach" }, lines, h("a", { href: link("connect") }, "more clients"));
}

/**
 * @param {string} word
 * @param {any[]} rows
 * @param {(row: any) => any[]} cells
 * @param {(row: any) => any} explain
 * @param {(row: any) => string} nameOf
 */
function brief(word, rows, cells, explain, nameOf) {
    if (!rows.length) return h("p", { class: "dim" }, word);
    return h(
        "ul",
        { class: "brief" },
        rows.map((row) => {
            const below = h("div");
            /** @param {() => any} make */
            const toggle = (make) => () => (below.hasChildNodes() ? below.replaceChildren() : put(below, make()));
            return h(
                "li",
                { "data-key": row.id ?? row.file },
                h(
                    "div",
                    { class: "row" },
                    cells(row),
                    h("button", { class: "link", onclick: toggle(() => explain(row)) }, "why"),
                    h("button", { class: "link", onclick: toggle(() => ruleForm(asPattern(nameOf(row)), "")) }, "rule"),
                ),
                below,
            );
        }),
    );
}

/** @param {string} name */
const nameLink = (name) => h("a", { href: link("symbol", { name }) }, name);

/** @param {any} row */
const nameIn = (row) => row.key.split("/")[0];

/**
 * @param {HTMLElement} failures
 * @param {HTMLElement} missing
 * @param {AbortSignal} signal
 */
async function showTroubles(failures, missing, signal) {
    const failed = await get("requests", { verdict: "failure", limit: 8 }, signal);
    put(
        failures,
        brief(
            recorded ? "Nothing has failed." : "Not recorded.",
            failed.rows,
            (row) => [ago(row.at_ms), nameLink(nameIn(row)), verdict(row.verdict), h("span", { class: "dim rest", title: row.reason }, row.reason)],
            (row) => why({ id: row.id, n: row.n }),
            nameIn,
        ),
    );
    if (Date.now() - looked < MISSING_MS) return;
    looked = Date.now();
    const never = await get("missing", { limit: 8 }, signal);
    put(
        missing,
        brief(
            recorded ? "Everything that was asked for was found." : "Not recorded.",
            never.rows,
            (row) => [h("span", { class: "times" }, number(row.numRequests), " ×"), nameLink(row.file), h("span", { class: "dim rest" }, ago(row.lastAccessTime * 1000))],
            (row) => symbolDetails(row.file, signal),
            (row) => row.file,
        ),
    );
}

/**
 * @param {URLSearchParams} params
 * @param {AbortSignal} signal
 */
function charts(params, signal) {
    const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { role: "img", "aria-label": "requests over time" }));
    let range = params.get("range") ?? "day";
    let what = params.get("chart") ?? "requests";
    async function paint() {
        canvas.setAttribute("aria-label", `${/** @type {any} */ (CHARTS)[what]}, last ${/** @type {any} */ (RANGES)[range]}`);
        const history = await get("history", { range }, signal);
        if (!signal.aborted) await showHistory(canvas, history, what);
    }
    /**
     * @param {Record<string, string>} choices
     * @param {string} label
     * @param {string} chosen
     * @param {(name: string) => void} choose
     */
    const picker = (choices, label, chosen, choose) =>
        h(
            "select",
            { "aria-label": label, onchange: (/** @type {Event} */ event) => choose(/** @type {HTMLSelectElement} */ (event.target).value) },
            Object.entries(choices).map(([name, word]) => h("option", { value: name, selected: name === chosen }, word)),
        );
    const element = h(
        "section",
        { class: "panel chart" },
        h(
            "h2",
            picker(CHARTS, "what the chart shows", what, (name) => (change({ chart: (what = name) }), paint())),
            picker(RANGES, "time range", range, (name) => (change({ range: (range = name) }), paint())),
        ),
        h("div", { class: "canvas" }, canvas),
    );
    return { element, paint };
}

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} params
 * @param {AbortSignal} signal
 */
export async function show(place, params, signal) {
    const top = h("div", { class: "tiles" });
    const hint = h("div");
    const flight = h("div");
    const failures = h("div");
    const missing = h("div");
    const advice = h("div");
    const count = h("span");
    const chart = charts(params, signal);
    looked = 0;
    put(
        place,
        h("h1", { class: "sr" }, "Overview"),
        top,
        hint,
        h("div", { class: "grid" }, chart.element, panel(["In flight ", count], flight), panel("Recent failures", failures), panel("Asked for and never found", missing)),
        panel(["Advice ", h("a", { href: link("adviser") }, "all")], advice),
    );
    watch("overview", (overview) => ((recorded = overview.enabled), put(top, tiles(overview)), put(hint, teach(overview))), signal);
    watch("copies", (copies) => (put(count, copies.length ? `(${copies.length})` : ""), showTransfers(flight, copies)), signal);
    const again = async () => {
        const reading = place.querySelector(".brief .why, .brief .rule, .brief .details");
        await Promise.all([chart.paint(), reading || showTroubles(failures, missing, signal)]).catch(() => {});
        if (!signal.aborted) window.setTimeout(() => (document.hidden ? document.addEventListener("visibilitychange", again, { once: true }) : again()), AGAIN_MS);
    };
    adviceList(3).then((list) => put(advice, list)).catch((error) => put(advice, error.message));
    await again();
}
