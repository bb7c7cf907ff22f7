// SPDX-License-Identifier: MIT
// What the server tells by itself: "overview" and "copies". One stream a tab, closed while the tab is hidden; views are
// painted at most once a second. Where there is no stream, the same is asked for every few seconds.
import { get } from "./api.js";

const PAINT_MS = 1000;
const POLL_MS = 5000;
const AGAIN_MS = 60000;

/** @type {Record<string, any>} */
const last = {};
/** @type {Set<{event: string, paint: (value: any) => void, due: boolean}>} */
const watchers = new Set();
/** @type {EventSource | null} */
let stream = null;
let painted = -PAINT_MS;
let timer = 0;
let poll = 0;

/**
 * Calls paint with what is known, and with each change.
 * @param {string} event
 * @param {(value: any) => void} paint
 * @param {AbortSignal} signal
 */
export function watch(event, paint, signal) {
    const watcher = { event, paint, due: false };
    watchers.add(watcher);
    signal.addEventListener("abort", () => watchers.delete(watcher));
    if (event in last) paint(last[event]);
}

function paintDue() {
    timer = 0;
    if (document.hidden) return;
    painted = performance.now();
    for (const watcher of watchers) {
        if (!watcher.due) continue;
        watcher.due = false;
        watcher.paint(last[watcher.event]);
    }
}

/** @param {string} event @param {any} value */
function learn(event, value) {
    last[event] = value;
    for (const watcher of watchers) watcher.due ||= watcher.event === event;
    if (!timer) timer = window.setTimeout(paintDue, Math.max(0, painted + PAINT_MS - performance.now()));
}

export async function askOnce() {
    try {
        for (const event of ["overview", "copies"]) learn(event, await get(event));
    } catch (/** @type {any} */ error) {
        learn("silent", error.message);
    }
}

function listen() {
    stream = new EventSource("/api/v1/events");
    for (const event of ["overview", "copies"])
        stream.addEventListener(event, (told) => learn(event, JSON.parse(/** @type {MessageEvent} */ (told).data)));
    stream.onopen = () => learn("silent", "");
    stream.onerror = () => {
        if (stream?.readyState !== EventSource.CLOSED) return learn("silent", "The server does not answer.");
        stream = null;
        poll = window.setInterval(askOnce, POLL_MS);
        window.setTimeout(again, AGAIN_MS);
    };
}

function rest() {
    stream?.close();
    stream = null;
    window.clearInterval(poll);
}

function again() {
    rest();
    if (!document.hidden) listen();
}

export function begin() {
    document.addEventListener("visibilitychange", again);
    document.addEventListener("visibilitychange", () => document.hidden || paintDue());
    window.addEventListener("pagehide", rest);
    listen();
}
