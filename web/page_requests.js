// SPDX-License-Identifier: MIT
import { get } from "./api.js";
import { cut, h, put } from "./dom.js";
import { tokenForm } from "./rights.js";
import { link, route } from "./route.js";
import { asPattern, ruleForm } from "./rule.js";
import { makeTable } from "./table.js";
import { ago, size, span, verdict, VERDICTS } from "./text.js";
import { why } from "./why.js";

const AGAIN_MS = 2000;

/** @param {any} row */
const nameOf = (row) => row.key.split("/")[0];

/** @type {import("./table.js").Column[]} */
const COLUMNS = [
    { title: "When", cell: (row) => ago(row.at_ms), csv: (row) => new Date(row.at_ms).toISOString() },
    { title: "Symbol", cell: (row) => (row.key ? cut(nameOf(row), link("symbol", { name: nameOf(row) })) : cut(row.path)), csv: (row) => (row.key ? nameOf(row) : row.path) },
    { title: "Id", rank: 3, off: true, cell: (row) => h("span", { class: "mono" }, row.key.split("/")[1] ?? "") },
    { title: "Verdict", cell: (row) => verdict(row.verdict) },
    { title: "Server", rank: 2, cell: (row) => cut(row.source || "–") },
    { title: "Why", rank: 3, cell: (row) => cut(row.reason || (row.rule ? `filter ${row.rule}` : "")) },
    { title: "Waited", number: true, cell: (row) => span(row.waited_ms), csv: (row) => row.waited_ms },
    { title: "Took", number: true, rank: 3, off: true, cell: (row) => span(row.total_ms), csv: (row) => row.total_ms },
    { title: "Bytes", number: true, rank: 2, cell: (row) => size(row.bytes), csv: (row) => row.bytes },
    { title: "Status", number: true, rank: 3, cell: (row) => row.status },
    { title: "Client", rank: 2, cell: (row) => row.client || "–" },
    { title: "Dialect", rank: 3, off: true, cell: (row) => row.dialect },
];

/** @param {any} row */
function details(row) {
    return h("div", { class: "details" }, why({ id: row.id, n: row.n }), row.key ? [h("h2", "Add rule"), ruleForm(asPattern(nameOf(row)), row.attempts.at(-1)?.source ?? "")] : null);
}

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} _params
 * @param {AbortSignal} signal
 */
export async function show(place, _params, signal) {
    const servers = await get("servers", {}, signal);
    const follow = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", checked: true }));
    const table = makeTable(
        {
            name: "requests",
            columns: COLUMNS,
            filters: [
                { name: "search", label: "search path, key, reason" },
                { name: "verdict", label: "any verdict", options: VERDICTS },
                { name: "source", label: "any server", options: servers.map((/** @type {any} */ one) => one.identifier) },
                { name: "client", label: "client" },
            ],
            load: (query, stop) => get("requests", query, stop),
            next: (row) => ({ before: row.at_ms, n: row.n }),
            open: details,
            empty: "No request fits: none is recorded, or the filters leave none.",
            again: AGAIN_MS,
            live: () => follow.checked && !route().params.has("before"),
        },
        signal,
    );
    put(place, h("h1", "Requests"), tokenForm(), h("label", { class: "follow" }, follow, "live"), table.element);
    await table.refresh();
}
