// SPDX-License-Identifier: MIT
// A symbol's own page: its history, its ids with what each came to, files and where they are from, what was refused; or why, for a path or a request.
import { get } from "./api.js";
import { showHistory } from "./chart.js";
import { copied, facts, h, panel, put } from "./dom.js";
import { symbolActs, tokenForm } from "./rights.js";
import { link } from "./route.js";
import { asPattern, ruleForm } from "./rule.js";
import { ago, number, size, span, verdict } from "./text.js";
import { why } from "./why.js";

const IDS = 200;
const PAST = 10;

/** @param {any} row of a request */
const past = (row) => h("li", ago(row.at_ms), " ", verdict(row.verdict), ` ${row.source} `, span(row.waited_ms), ` ${row.reason}`);

/** @param {any} row whose times and size are for people */
const told = (row) => ({ ...row, ...(row.first_time && { first_time: ago(row.first_time * 1000) }), time: ago(row.time * 1000), size: size(row.size) });

/**
 * @param {string} name
 * @param {string} id
 * @param {AbortSignal} signal
 */
function idDetails(name, id, signal) {
    const history = h("div", "…");
    const from = h("div", "…");
    const refused = h("div");
    get("requests", { key: `${name}/${id}`, limit: PAST }, signal).then(({ rows }) => put(history, h("h3", "Its last requests"), h("ul", rows.map(past))), (error) => put(history, error.message));
    get("provenance", { name, id }, signal).then((rows) => put(from, h("h3", "Where it is from"), facts(rows.map(told))), (error) => put(from, error.message));
    get("quarantine", { name, id }, signal).then((rows) => rows.length && put(refused, h("h3", "What was refused"), facts(rows.map(told))), () => {});
    return h("div", { class: "details" }, copied(`${name}/${id}`), symbolActs(name, id, () => {}), why({ name, id }), history, from, refused);
}

/**
 * @param {string} name
 * @param {any} row
 * @param {AbortSignal} signal
 */
function idRow(name, row, signal) {
    const below = h("div");
    return h(
        "li",
        h("code", row.id),
        " ",
        verdict(row.verdict),
        " ",
        number(row.numRequests),
        " requests, ",
        number(row.numSuccess),
        " successful, ",
        number(row.numCacheHit),
        " hits, ",
        size(row.bytes),
        ", ",
        ago(row.lastAccessTime * 1000),
        row.folded ? null : h("button", { class: "link", onclick: () => (below.hasChildNodes() ? below.replaceChildren() : put(below, idDetails(name, row.id, signal))) }, "more"),
        below,
    );
}

/**
 * @param {string} name
 * @param {AbortSignal} signal
 */
export function symbolDetails(name, signal) {
    const about = h("p", "…");
    const list = h("ul", { class: "ids" });
    const on = h("button", { onclick: more, hidden: true }, "more ids");
    let shown = 0;
    async function more() {
        try {
            const told = await get("symbol", { name, limit: IDS, offset: shown }, signal);
            shown += told.rows.length;
            put(about, h("a", { href: link("requests", { search: name }) }, "its requests"), " · ", Object.entries(told.serverHits).map(([server, n]) => `${server}: ${n} found, ${told.serverMisses[server] ?? 0} not. `));
            list.append(...told.rows.map((/** @type {any} */ row) => idRow(name, row, signal)));
            on.hidden = told.rows.length < IDS;
        } catch (/** @type {any} */ error) {
            put(about, error.message);
        }
    }
    more();
    return h("div", { class: "details" }, about, list, on);
}

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} params
 * @param {AbortSignal} signal
 */
export async function show(place, params, signal) {
    const name = params.get("name");
    if (!name) {
        const path = params.get("path") ?? "";
        const request = params.get("request");
        const parts = path.replace(/^\/?(symbols\/)?/, "").split("/");
        const asked = request ? { id: request } : parts.length === 2 ? { name: parts[0], id: parts[1] } : { path };
        return void put(place, h("h1", "Why ", h("code", request ?? path)), panel("Answer", why(asked)));
    }
    const rule = h("div");
    const chart = h("canvas", { role: "img", "aria-label": "its requests" });
    get("history", { name, range: "month" }, signal).then((history) => showHistory(/** @type {any} */ (chart), history, "requests"), () => {});
    put(
        place,
        h("h1", name),
        tokenForm(),
        panel("Ids", symbolDetails(name, signal)),
        panel("Last 30 days", h("div", { class: "canvas" }, chart)),
        panel("Rule", rule),
    );
    put(rule, ruleForm(asPattern(name), ""));
}
