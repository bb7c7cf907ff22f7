// SPDX-License-Identifier: MIT
// Asks the server. An answer that is not good becomes a Refused with the server's own sentence.

const TOKEN = "symgate-token";

export class Refused extends Error {
    /** @param {number} status @param {string} sentence */
    constructor(status, sentence) {
        super(sentence);
        this.status = status;
    }
}

/** What this visitor may do. */
export const rights = { admin: false, how: "" };

/** @typedef {Record<string, string | number | null | undefined>} Query */

/** @param {string} path @param {Query} query */
function address(path, query) {
    const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
    const text = given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&");
    return (path.startsWith("/") ? path : `/api/v1/${path}`) + (text ? `?${text}` : "");
}

/** @param {string} url @param {RequestInit} how @returns {Promise<Response>} */
async function ask(url, how) {
    const token = sessionStorage.getItem(TOKEN);
    const headers = token ? { Authorization: `Bearer ${token}` } : undefined;
    let answer;
    try {
        answer = await fetch(url, { ...how, headers, cache: "no-store" });
    } catch (error) {
        if (how.signal?.aborted) throw error;
        throw new Refused(0, "The server does not answer.");
    }
    if (!answer.ok) throw new Refused(answer.status, (await answer.text()).trim() || `status ${answer.status}`);
    return answer;
}

/** @param {string} path @param {Query} [query] @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function get(path, query = {}, signal) {
    return (await ask(address(path, query), { signal })).json();
}

/** @param {string} path @param {Query} [query] @param {AbortSignal} [signal] */
export async function getText(path, query = {}, signal) {
    return (await ask(address(path, query), { signal })).text();
}

/**
 * A log's text from a byte on, and where what came ends: at the start again where the file was rotated.
 * @param {string} path @param {number} from @param {AbortSignal} [signal]
 */
export async function getRest(path, from, signal) {
    const answer = await ask(address(path, { from }), { signal });
    const bytes = await answer.arrayBuffer();
    return { text: new TextDecoder().decode(bytes), end: Number(answer.headers.get("X-Symgate-From")) + bytes.byteLength };
}

/** @param {string} path @param {Query} [query] @param {string} [body] @returns {Promise<any>} */
export async function post(path, query = {}, body) {
    const text = await (await ask(address(path, query), { method: "POST", body })).text();
    return text.trim().startsWith("{") ? JSON.parse(text) : text;
}

export async function learnRights() {
    Object.assign(rights, await get("rights"));
}

/**
 * Kept as long as the tab lives, and nowhere else.
 * @param {string} token
 */
export function keepToken(token) {
    if (token) sessionStorage.setItem(TOKEN, token);
    else sessionStorage.removeItem(TOKEN);
}
