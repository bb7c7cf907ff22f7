// SPDX-License-Identifier: MIT
import { get } from "./api.js";
import { h, pairs, panel, put } from "./dom.js";
import { ago } from "./text.js";

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} _params
 * @param {AbortSignal} signal
 */
export async function show(place, _params, signal) {
    const overview = await get("overview", {}, signal);
    put(
        place,
        h("h1", "About"),
        panel(
            overview.name,
            pairs([
                ["administrator", overview.administrator || "–"],
                ["host", overview.host || "–"],
                ["symgate", overview.version],
                ["statistics", overview.enabled ? ["since ", ago(overview.since_ms)] : "switched off"],
            ]),
        ),
        panel(
            "For machines",
            h("ul", ["/metrics", "/statistics.json", "/symbols.json", "/api/v1/overview"].map((path) => h("li", h("a", { href: path }, path)))),
        ),
        panel(
            "Keys",
            pairs([
                ["/", "search, or ask why"],
                ["g and o s v r a c l n b", "the pages in their order"],
                ["↑ ↓ Enter Esc", "in tables"],
            ]),
        ),
        panel("Licences", h("p", "symgate: MIT. Charts: Chart.js, MIT. Other libraries: see the README.")),
    );
}
