// SPDX-License-Identifier: MIT
// A form for a new rule: what it would have done is shown before it can be added, and it can be taken back after.
import { get, post, rights } from "./api.js";
import { h, put } from "./dom.js";
import { actor } from "./rights.js";
import { counted, grouped, spanText } from "./text.js";

const EVERYWHERE = "general.blacklist";
/** @type {[string, string][]} */
const LISTS = [
    ["blacklist", "never ask this server (blacklist)"],
    ["whitelist", "ask this server for these (whitelist)"],
    [EVERYWHERE, "ask nobody (general.blacklist)"],
];

/**
 * The name as a pattern, as Python's re.match reads it. Names are shown folded, and asked for in any case.
 * @param {string} name
 */
export const asPattern = (name) => "(?i)" + name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") + "$";

/**
 * @param {string} pattern
 * @param {string} server
 * @param {() => void} [after]
 */
export function ruleForm(pattern, server, after) {
    const list = choice("list", LISTS, server ? "blacklist" : EVERYWHERE);
    const value = input("pattern", pattern);
    const comment = input("comment", "");
    const of = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "server" }));
    const preview = h("p", { class: "preview", role: "status" });
    get("servers").then((servers) => {
        for (const one of servers)
            of.append(h("option", { value: one.identifier, selected: one.identifier === server }, one.name));
    });
    const rule = () => ({
        list: list.value,
        server: list.value === EVERYWHERE ? "" : of.value,
        value: value.value,
        comment: comment.value,
        origin: "page",
    });
    const add = actor(
        "add rule",
        async () => {
            const made = await post("rules", rule());
            return `Rule ${made.id} is in force; Configuration lists it and takes it back.`;
        },
        after,
    );
    async function look() {
        put(preview);
        put(preview, told(await get("rules/preview", rule())));
        add.hidden = false;
        return "";
    }
    function forget() {
        of.hidden = list.value === EVERYWHERE;
        add.hidden = rights.admin;
        put(preview);
    }
    for (const field of [list, of, value]) field.addEventListener("input", forget);
    forget();
    return h(
        "form",
        { class: "rule", onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
        list,
        of,
        value,
        comment,
        actor("what would it do?", look),
        add,
        preview,
    );
}

/** @param {any} seen */
function told(seen) {
    const day = `Of the last day it meets ${counted(seen.day.requests, "request")}, ${grouped(seen.day.files)} of which got a file. `;
    const open = seen.unknown ? `; ${counted(seen.unknown, "question")} got no answer` : "";
    return `${day}In the last ${spanText(seen.days * 864e5)} it spares ${counted(seen.questions, "question")} (${spanText(seen.seconds * 1000)}) and loses ${counted(seen.lost, "file")}${open}.`;
}

/**
 * @param {string} name
 * @param {string} text
 */
function input(name, text) {
    return /** @type {HTMLInputElement} */ (h("input", { value: text, placeholder: name, "aria-label": name, class: "mono" }));
}

/**
 * @param {string} name
 * @param {[string, string][]} options
 * @param {string} chosen
 */
function choice(name, options, chosen) {
    return /** @type {HTMLSelectElement} */ (
        h("select", { "aria-label": name }, options.map(([value, word]) => h("option", { value, selected: value === chosen }, word)))
    );
}
