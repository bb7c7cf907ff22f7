// SPDX-License-Identifier: MIT
// Transfers in flight: name, server, a bar (or bytes so far), speed, time left, clients. Nothing moves that did not change.
import { h, put } from "./dom.js";
import { link } from "./route.js";
import { size, sizeText, spanText } from "./text.js";

const SHOWN = 50;

/** What was seen last of each, for its speed. @type {Map<string, {written: number, at: number, speed: number}>} */
const seen = new Map();

/** @param {any} copy */
function speedOf(copy) {
    const at = performance.now();
    const before = seen.get(copy.key);
    let speed = copy.age_ms > 0 ? (copy.written * 1000) / copy.age_ms : 0;
    if (before && at - before.at > 300) {
        const now = ((copy.written - before.written) * 1000) / (at - before.at);
        speed = before.speed ? 0.6 * before.speed + 0.4 * now : now;
    } else if (before) {
        return before.speed;
    }
    seen.set(copy.key, { written: copy.written, at, speed });
    return speed;
}

/** @param {any} copy */
function row(copy) {
    const speed = speedOf(copy);
    const [name] = copy.key.split("/");
    const left = copy.size && speed > 0 ? spanText(((copy.size - copy.written) * 1000) / speed) : "";
    const bar = copy.size
        ? h("progress", { max: copy.size, value: copy.written, "aria-label": `${name} has come to` })
        : h("span", copy.phase === "searching" ? "searching" : size(copy.written));
    return h(
        "li",
        { "data-key": copy.key },
        h("a", { href: link("symbol", { name }) }, name),
        h("span", { class: "dim" }, copy.source || "–"),
        bar,
        h("span", { class: "n" }, copy.phase === "searching" ? spanText(copy.age_ms) : `${sizeText(speed)}/s`),
        h("span", { class: "n", title: "time left" }, left),
        h("span", { class: "n", title: "clients that wait" }, `${copy.readers} ◔`),
    );
}

/**
 * @param {Element} place
 * @param {any[]} copies
 */
export function showTransfers(place, copies) {
    const keys = new Set(copies.map((copy) => copy.key));
    for (const key of seen.keys()) if (!keys.has(key)) seen.delete(key);
    put(place, copies.length ? [h("ul", { class: "transfers" }, copies.slice(0, SHOWN).map(row)), copies.length > SHOWN && h("p", `and ${copies.length - SHOWN} more`)] : h("p", { class: "dim" }, "Nothing is under way."));
}
