// SPDX-License-Identifier: MIT
import { get, getRest, getText, rights } from "./api.js";
import { download, h, panel, put } from "./dom.js";
import { tokenForm } from "./rights.js";
import { change } from "./route.js";
import { size } from "./text.js";

const SHOWN_BYTES = 256 * 1024;
const AGAIN_MS = 2000;

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} params
 * @param {AbortSignal} signal
 */
export async function show(place, params, signal) {
    put(place, h("h1", "Logs"), tokenForm());
    if (!rights.admin) return;
    const files = await get("logs", {}, signal);
    if (!files.length) return void place.append(h("p", { class: "dim" }, 'No log goes to a file. "logging" in the configuration names one.'));
    const text = h("pre", { class: "log", tabindex: 0, "aria-label": "the log's end" });
    const follow = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", checked: true }));
    let file = files.find((/** @type {any} */ one) => String(one.number) === params.get("number")) ?? files[0];
    let from = 0;
    async function more() {
        const own = `/${file.number}.log`;
        const { text: added, end } = await getRest(own, from, signal);
        from = end;
        const others = added.split("\n").filter((line) => !line.includes(` ${own}`)).join("\n"); // its following is no news
        if (!others) return;
        text.append(others);
        if ((text.textContent?.length ?? 0) > 2 * SHOWN_BYTES) text.textContent = (text.textContent ?? "").slice(-SHOWN_BYTES);
        text.scrollTop = text.scrollHeight;
    }
    /** @param {any} one */
    async function choose(one) {
        file = one;
        change({ number: one.number });
        text.textContent = "";
        from = Math.max(0, one.bytes - SHOWN_BYTES);
        await more();
    }
    place.append(
        panel(
            "Files",
            h("ul", { class: "files" }, files.map((/** @type {any} */ one) => h("li", h("button", { class: "link", onclick: () => choose(one) }, one.path), " ", size(one.bytes), " ", h("button", { class: "link", onclick: async () => download(await getText(`/${one.number}.log`), `${one.number}.log`, "text/plain") }, "download")))),
            h("label", { class: "follow" }, follow, "follow"),
            text,
        ),
    );
    await choose(file);
    const timer = window.setInterval(() => follow.checked && !document.hidden && more().catch(() => {}), AGAIN_MS);
    signal.addEventListener("abort", () => window.clearInterval(timer));
}
