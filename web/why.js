// SPDX-License-Identifier: MIT
// Why a symbol came or did not: first the answer and what to do, then the chain.
import { get } from "./api.js";
import { h, pairs, put } from "./dom.js";
import { ago, size, span, verdict } from "./text.js";

/**
 * @param {{path?: string, id?: string, name?: string, n?: number}} what
 * @returns {HTMLElement}
 */
export function why(what) {
    const place = h("div", { class: "why", "aria-busy": "true" }, "…");
    get("explain", what).then(
        (told) => put(place, answer(told)),
        (error) => put(place, error.message),
    );
    return place;
}

/** @param {any} told */
const sentence = (told) => [h("p", told.sentence), told.cure && h("p", { class: "cure" }, told.cure)];

/** @param {any} told */
function answer(told) {
    return [
        h("div", { class: "answer" }, sentence(told)),
        told.last && last(told.last),
        told.now && now(told.now),
        told.key &&
            pairs([
                ["key", h("code", told.key.key)],
                ["kind", `${told.key.kind}, ${told.key.identifier}`],
            ]),
        told.key?.note && h("p", told.key.note),
        told.enabled ? null : h("p", "Statistics are switched off: requests of earlier are not known."),
    ];
}

/** @param {any} last */
function last(last) {
    const request = last.request;
    return h(
        "section",
        h("h2", "The last request: ", verdict(request.verdict), " ", ago(request.at_ms)),
        h("p", { class: "mono" }, `${request.method} ${request.path} → ${request.status}`),
        h(
            "ol",
            { class: "chain" },
            request.attempts.map((/** @type {any} */ one, /** @type {number} */ i) =>
                h(
                    "li",
                    h("b", one.source),
                    ` ${one.result}${one.status ? ` (${one.status})` : ""}, waited `,
                    span(one.place_ms),
                    ", took ",
                    span(one.total_ms),
                    one.bytes ? [", ", size(one.bytes)] : null,
                    one.url && h("div", { class: "mono dim" }, one.url),
                    sentence(last.chain[i] ?? { sentence: "" }),
                ),
            ),
        ),
    );
}

/** @param {any} now */
function now(now) {
    return h(
        "section",
        h("h2", "A request now"),
        sentence(now),
        now.shelves.map((/** @type {any} */ one) => h("p", one.sentence)),
        now.quarantine.map((/** @type {any} */ one) =>
            h("p", { class: "bad" }, `Refused from ${one.server}, ${one.times} times: ${one.reason}`),
        ),
        now.excluded
            ? null
            : h(
                  "ol",
                  { class: "chain" },
                  now.servers.map((/** @type {any} */ one) =>
                      h("li", h("b", one.name), ` ${one.state}`, one.rule && h("code", one.rule), made(one), sentence(one)),
                  ),
              ),
    );
}

/** @param {any} server */
const made = (server) => server.made && h("small", ` rule ${server.made.id} from the ${server.made.origin} ${server.made.comment}`);
