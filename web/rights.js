// SPDX-License-Identifier: MIT
// Buttons that change something. Without rights they are there, disabled, and say what is needed.
import { keepToken, learnRights, post, rights } from "./api.js";
import { h, say } from "./dom.js";

/**
 * A button that posts; what came of it is said, then `after` is called.
 * @param {string} word
 * @param {() => Promise<string>} act gives the sentence to be said
 * @param {() => void} [after]
 */
export function actor(word, act, after) {
    const button = /** @type {HTMLButtonElement} */ (
        h("button", { class: "act", title: rights.admin ? null : rights.how, disabled: !rights.admin, onclick: run }, word)
    );
    async function run() {
        button.disabled = true;
        try {
            say(await act());
            after?.();
        } catch (/** @type {any} */ error) {
            say(error.message);
        }
        button.disabled = false;
    }
    return button;
}

/**
 * @param {string} name
 * @param {string} id
 * @param {() => void} after
 */
export function symbolActs(name, id, after) {
    const what = { name, id };
    return h(
        "span",
        { class: "acts" },
        actor("fetch now", async () => `${name}: ${(await post("fetch", what)).sentence}`, after),
        actor(
            "forget",
            async () => {
                const gone = await post("forget", what);
                return `${name}: ${gone.files} files and ${gone.absences} remembered absences are forgotten.`;
            },
            after,
        ),
    );
}

/** Says what is needed, and takes the token; nothing for those who have rights. */
export function tokenForm() {
    if (rights.admin) return null;
    const field = /** @type {HTMLInputElement} */ (h("input", { type: "password", id: "token", autocomplete: "off" }));
    return h(
        "form",
        { class: "token", onsubmit: enter },
        h("p", "Read-only. ", rights.how),
        h("label", { for: "token" }, "Token"),
        field,
        h("button", "use it"),
    );
    /** @param {Event} event */
    async function enter(event) {
        event.preventDefault();
        keepToken(field.value);
        await learnRights();
        say(rights.admin ? "This tab may change things now." : "That token is not the one of general.adminToken.");
        if (rights.admin) window.dispatchEvent(new HashChangeEvent("hashchange"));
        else keepToken("");
    }
}
