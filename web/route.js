// SPDX-License-Identifier: MIT
// Where the visitor is: "#/symbols?search=kernel&sort=bytes". All that a view depends on stands there, so that a view
// can be sent to a colleague. (After "#", since "/symbols" belongs to debuggers.)

/** A file of Microsoft's, to see whether it works. */
export const TEST = "symbols/ntdll.pdb/1EB9FACB04EA273BB24BA52C8B8D336A1/ntdll.pdb";

/** @returns {{page: string, params: URLSearchParams}} */
export function route() {
    const [page, query] = location.hash.replace(/^#\/?/, "").split("?", 2);
    return { page: page || "overview", params: new URLSearchParams(query || "") };
}

/** @param {string} page @param {Record<string, string | number>} [params] */
export function link(page, params = {}) {
    const query = new URLSearchParams(Object.entries(params).map(([name, value]) => [name, String(value)])).toString();
    return `#/${page}${query ? "?" + query : ""}`;
}

/** @param {string} page @param {Record<string, string | number>} [params] */
export function go(page, params) {
    location.hash = link(page, params);
}

/**
 * Changes what the view depends on; "" takes a parameter out. The page stays, and changes itself.
 * @param {Record<string, string | number>} changes @param {boolean} [step] is it a step that "back" takes back?
 */
export function change(changes, step = false) {
    const { page, params } = route();
    for (const [name, value] of Object.entries(changes)) {
        if (value === "") params.delete(name);
        else params.set(name, String(value));
    }
    const hash = link(page, Object.fromEntries(params));
    if (hash === location.hash) return;
    if (step) history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
}
