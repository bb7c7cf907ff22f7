// SPDX-License-Identifier: MIT
// Makes elements. All text goes in as text nodes: nothing that comes from a request is ever read as markup.

/** @typedef {any} Child a node, a text, a number, nothing, or a list of these */

/**
 * @param {string} tag
 * @param {any} [attributes] an object: functions are listeners ("onclick"), false and null are left out; anything else is the first child
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    if (attributes?.constructor !== Object) return fill(made, [attributes, children]);
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function") made.addEventListener(name.slice(2), value);
        else if (value === true) made.setAttribute(name, "");
        else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
    }
    return fill(made, children);
}

/**
 * What turns the direction of text around, or cannot be seen, is shown as its number.
 * @param {string} text
 */
const visible = (text) => text.replace(/(?![\t\n\r])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{DI}]/gu, (c) => `\\u${/** @type {number} */ (c.codePointAt(0)).toString(16).padStart(4, "0")}`);

/**
 * @template {Element} T
 * @param {T} place
 * @param {Child[]} children
 * @returns {T}
 */
function fill(place, children) {
    for (const child of children) {
        if (Array.isArray(child)) fill(place, child);
        else if (child !== null && child !== undefined && child !== false)
            place.append(child instanceof Node ? child : visible(String(child)));
    }
    return place;
}

/** @param {Element} root @returns {HTMLElement[]} itself and all in it that may have the focus */
const stops = (root) => /** @type {any[]} */ ([root, ...root.querySelectorAll("a, button, input, select, textarea, [tabindex]")]);

/** @param {Element | null | undefined} row */
const keyOf = (row) => row?.getAttribute("data-key");

/**
 * Puts children in the place of what was there. The focus stays where it was: on the same part of the row with the same data-key, else on what says the same.
 * @param {Element} place
 * @param {...Child} children
 */
export function put(place, ...children) {
    const on = place.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    const row = on?.closest("[data-key]");
    const at = on ? stops(row ?? place).indexOf(on) : -1;
    place.replaceChildren();
    fill(place, children);
    const again = row ? [...place.querySelectorAll("[data-key]")].find((one) => keyOf(one) === keyOf(row)) : place;
    const to = on && again && stops(again)[at];
    if (to && (row || to.textContent === on.textContent)) to.focus();
    return place;
}

/**
 * A panel with a heading.
 * @param {Child} title
 * @param {...Child} children
 */
export function panel(title, ...children) {
    return h("section", { class: "panel" }, h("h2", title), children);
}

/**
 * Pairs of a word and what it stands for.
 * @param {[Child, Child][]} pairs
 */
export function pairs(pairs) {
    return h("dl", pairs.map(([word, value]) => [h("dt", word), h("dd", value)]));
}

/**
 * Shows whatever the server has answered, word by word.
 * @param {any} value
 * @returns {Child}
 */
export function facts(value) {
    if (value === null || value === undefined || value === "") return "–";
    if (Array.isArray(value)) {
        if (!value.length) return "none";
        if (value.every((one) => typeof one !== "object")) return value.join(", ");
        return h("ol", { class: "facts" }, value.map((one) => h("li", facts(one))));
    }
    if (value instanceof Node) return value;
    if (typeof value === "object")
        return pairs(Object.entries(value).map(([word, one]) => [word.replaceAll("_", " "), facts(one)]));
    return String(value);
}

/**
 * A line to be copied, with its button.
 * @param {string} text
 */
export function copied(text) {
    const button = h("button", { class: "copy", "aria-label": `copy ${text}`, onclick: copy }, "copy");
    async function copy() {
        try {
            await navigator.clipboard.writeText(text);
        } catch { // only pages on https or localhost have a clipboard
            const area = /** @type {HTMLTextAreaElement} */ (h("textarea", {}));
            area.value = text;
            document.body.append(area);
            area.select();
            document.execCommand("copy");
            area.remove();
            button.focus();
        }
        say("copied");
    }
    return h("span", { class: "copied" }, h("code", text), button);
}

/**
 * One line, as much of it as there is room for; all of it on hover.
 * @param {string} text
 * @param {string} [to] where it leads
 */
export const cut = (text, to) => h(to ? "a" : "span", { class: "cut", href: to, title: text }, text);

/**
 * Tells what came of something, politely.
 * @param {string} sentence
 */
export function say(sentence) {
    const place = document.getElementById("said");
    if (place) place.textContent = sentence;
}

/** @param {string} text @param {string} name @param {string} type */
export function download(text, name, type) {
    const url = URL.createObjectURL(new Blob([text], { type }));
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
}
