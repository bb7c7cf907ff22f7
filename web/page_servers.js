// SPDX-License-Identifier: MIT
import { get, post } from "./api.js";
import { cut, h, pairs, put } from "./dom.js";
import { actor, tokenForm } from "./rights.js";
import { link } from "./route.js";
import { ruleForm } from "./rule.js";
import { makeTable } from "./table.js";
import { ago, number, percent, size, spanText } from "./text.js";

const AGAIN_MS = 5000;
const MARKS = { good: "●", slow: "◐", resting: "▲", off: "○" };

/** @param {any} row */
function state(row) {
    const left = row.rest?.left_ms;
    const rest = row.rest ? ` ${row.rest.cause}${left ? `, ${spanText(left)} left` : left === 0 ? ", the next question tries it" : ""}` : "";
    return h("span", { class: `server-${row.state}` }, `${MARKS[/** @type {"good"} */ (row.state)] ?? ""} ${row.state}${rest}`);
}

/**
 * Who has never answered has no time.
 * @param {any} row
 * @param {number} ms
 */
const time = (row, ms) => (row.found + row.absent ? spanText(ms) : "–");

/** @type {import("./table.js").Column[]} */
const COLUMNS = [
    { title: "#", number: true, rank: 2, cell: (row) => row.position },
    { title: "Server", cell: (row) => [h("b", row.name), row.name === row.identifier ? null : h("small", ` ${row.identifier}`)] },
    { title: "State", cell: state },
    { title: "Remote", rank: 3, cell: (row) => cut(row.remote) },
    { title: "Asked", number: true, rank: 2, cell: (row) => number(row.asked) },
    { title: "Found", number: true, cell: (row) => [number(row.found), h("small", ` ${percent(row.found, row.found + row.absent)}`)] },
    { title: "Absent", number: true, rank: 2, cell: (row) => number(row.absent) },
    { title: "Failed", number: true, cell: (row) => number(row.failed) },
    { title: "p50", number: true, rank: 3, cell: (row) => time(row, row.p50_ms) },
    { title: "p95", number: true, rank: 2, cell: (row) => time(row, row.p95_ms) },
    { title: "p99", number: true, rank: 3, cell: (row) => time(row, row.p99_ms) },
    { title: "Bytes", number: true, rank: 3, cell: (row) => size(row.bytes) },
    { title: "Running", number: true, rank: 3, cell: (row) => `${row.running}${row.waiting ? ` + ${row.waiting}` : ""}` },
];

/** @param {string[] | null} list */
const patterns = (list) => (list === null ? "no list" : list.length ? list.map((one) => h("code", one)) : "empty");

/** @param {any} rule @returns {[any, any]} */
const madeOf = (rule) => [`rule ${rule.id}`, [h("code", rule.value), ` ${rule.list}, ${rule.origin}, `, ago(rule.at_ms), ` ${rule.comment}`]];

/** @param {any} row */
function details(row) {
    return h(
        "div",
        { class: "details" },
        h("p", row.last_failure ? ["Last failure ", ago(row.last_failure.at_ms), ": ", row.last_failure.what] : "It has not failed."),
        row.rests.map((/** @type {any} */ one) => h("p", "Rested ", ago(one.at_ms), ` (${one.cause}) `, one.for_ms === null ? "until now" : `for ${spanText(one.for_ms)}`)),
        pairs([
            ["asked for", `${row.kinds.join(", ")} as ${row.forms.join(", ")}, layout ${row.layout}`],
            ["only these", patterns(row.whitelist)],
            ["never these", patterns(row.blacklist)],
            ["a no counts for", spanText(row.retry_s * 1000)],
            ["at once", row.max_requests],
            ["priority", row.priority],
            ["cache", row.cache],
            ...row.rules.map(madeOf),
        ]),
        h("a", { href: link("requests", { source: row.identifier }) }, "its requests"),
        " ",
        actor("test now", async () => {
            const told = await post("test", { server: row.identifier });
            return `${row.name}: ${told.what} (${spanText(told.ms)})`;
        }),
        h("h2", "Add rule"),
        ruleForm("", row.identifier),
    );
}

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} _params
 * @param {AbortSignal} signal
 */
export async function show(place, _params, signal) {
    const table = makeTable(
        {
            name: "servers",
            columns: COLUMNS,
            load: async (_query, stop) => {
                const rows = await get("servers", {}, stop);
                return { rows, total: rows.length };
            },
            open: details,
            again: AGAIN_MS,
            empty: 'There is no server. Add one to "servers" in the configuration.',
        },
        signal,
    );
    put(place, h("h1", "Servers"), tokenForm(), table.element);
    await table.refresh();
}
