// SPDX-License-Identifier: MIT
import { get, post } from "./api.js";
import { h, panel, put } from "./dom.js";
import { actor, tokenForm } from "./rights.js";
import { counted, grouped, spanText } from "./text.js";

/**
 * @param {number} [most]
 * @param {() => void} [after]
 */
export async function adviceList(most, after) {
    const all = await get("advice");
    if (!all.length) return h("p", { class: "dim" }, "No advice: nothing recorded speaks for a change.");
    return h("ul", { class: "advice" }, all.slice(0, most).map((/** @type {any} */ one) => advice(one, after)));
}

/**
 * @param {any} one
 * @param {() => void} [after]
 */
function advice(one, after) {
    const spared = one.questions_per_day ? `spares ${grouped(one.questions_per_day)} questions and ${spanText(one.seconds_per_day * 1000)} a day` : "";
    const lost = one.lost === undefined ? "" : `, ${counted(one.lost, "file")} lost`;
    return h(
        "li",
        h("p", one.sentence),
        h("p", { class: "dim" }, spared + lost),
        one.line ? h("p", h("code", one.line), one.rule?.server ? ` for ${one.rule.server}` : null) : null,
        one.rule
            ? actor(
                  "apply",
                  async () => {
                      const rule = await post("advice/apply", { id: one.id });
                      return `Rule ${rule.id} is in force; Configuration lists it and takes it back.`;
                  },
                  after,
              )
            : h("p", { class: "dim" }, "An alarm: nothing to apply."),
    );
}

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} _params
 * @param {AbortSignal} _signal
 */
export async function show(place, _params, _signal) {
    const list = h("div");
    const refresh = async () => put(list, await adviceList(undefined, refresh));
    put(
        place,
        h("h1", "Adviser"),
        tokenForm(),
        panel("What recorded traffic speaks for", h("p", { class: "dim" }, "Nothing is changed on its own. What is applied becomes a rule, which Configuration takes back."), list),
    );
    await refresh();
}
