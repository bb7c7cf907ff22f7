// SPDX-License-Identifier: MIT
import { get, getText, post, rights } from "./api.js";
import { download, h, panel, put, say } from "./dom.js";
import { actor, tokenForm } from "./rights.js";
import { ago } from "./text.js";

/**
 * @param {any} rule
 * @param {() => void} after
 */
function ruleRow(rule, after) {
    return h(
        "li",
        h("b", `${rule.id}. `),
        `${rule.list}${rule.server ? ` of ${rule.server}` : ""}: `,
        h("code", rule.value),
        h("small", ` ${rule.origin} `),
        ago(rule.at_ms),
        rule.comment ? h("small", ` ${rule.comment}`) : null,
        " ",
        actor("undo", async () => (await post("rules/undo", { id: rule.id }), `Rule ${rule.id} is taken back.`), after),
    );
}

/** @param {HTMLElement} list */
async function showRules(list) {
    const rules = await get("rules");
    put(list, rules.length ? h("ul", { class: "rules" }, rules.map((/** @type {any} */ rule) => ruleRow(rule, () => showRules(list)))) : h("p", { class: "dim" }, "No rules: the configuration alone counts."));
}

/** @param {string} text */
function checker(text) {
    const area = /** @type {HTMLTextAreaElement} */ (h("textarea", { rows: 14, spellcheck: "false", "aria-label": "an edited configuration", class: "mono" }));
    const said = h("div", { role: "status" });
    area.value = text;
    const button = actor("check it", async () => {
        put(said);
        const told = await post("check", {}, area.value);
        put(said, h("ul", [...told.errors, ...told.warnings].map((/** @type {string} */ line) => h("li", line))));
        return told.errors.length ? "It has errors." : told.warnings.length ? "It has warnings." : "It is in order.";
    });
    return [area, button, said];
}

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} _params
 * @param {AbortSignal} signal
 */
export async function show(place, _params, signal) {
    const closed = "Shown to those who may change things.";
    const list = h("div", closed);
    const whole = h("div", closed);
    put(place, h("h1", "Configuration"), tokenForm(), panel(["Rules ", h("button", { class: "link", onclick: exported }, "as lines for the main file")], list), panel("Effective configuration, secrets masked", whole));
    async function exported() {
        download(await getText("rules/export"), "rules.txt", "text/plain");
        say("downloaded");
    }
    if (!rights.admin) return;
    await showRules(list);
    const text = await getText("configuration", {}, signal);
    put(whole, h("button", { onclick: () => download(text, "symgate.json", "application/json") }, "download"), h("pre", { tabindex: 0 }, text), h("h3", "Check an edited one"), checker(text));
}
