// SPDX-License-Identifier: MIT
// Numbers, sizes and times as they are read: short, with the exact one on hover.
import { h } from "./dom.js";

const THIN = "\u202f";
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/**
 * 12 345
 * @param {number} n
 */
export const grouped = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, THIN);

/** @param {number} n */
export function short(n) {
    if (n < 100000) return grouped(n);
    return n < 1e6 ? (n / 1e3).toFixed(0) + THIN + "k" : n < 1e9 ? (n / 1e6).toFixed(1) + THIN + "M" : (n / 1e9).toFixed(1) + THIN + "G";
}

/** @param {number} n */
export const number = (n) => h("span", { title: n < 100000 ? null : grouped(n) }, short(n));

/** @param {number} part @param {number} whole */
export const percent = (part, whole) => (whole ? `${Math.round((100 * part) / whole)}${THIN}%` : "–");

/**
 * "12 (40 %)"
 * @param {number} part
 * @param {number} whole
 */
export const shared = (part, whole) =>
    h("span", { title: part < 100000 ? null : grouped(part) }, short(part), h("small", ` ${percent(part, whole)}`));

/** @param {number} bytes */
export function sizeText(bytes) {
    let unit = 0;
    while (bytes >= 1024 && unit < UNITS.length - 1) {
        bytes /= 1024;
        unit++;
    }
    return (unit && bytes < 100 ? bytes.toFixed(1) : String(Math.round(bytes))) + THIN + UNITS[unit];
}

/** @param {number} bytes */
export const size = (bytes) => h("span", { title: `${grouped(bytes)} bytes` }, sizeText(bytes));

/** @param {number} ms */
export function spanText(ms) {
    if (ms < 10) return ms.toFixed(1) + THIN + "ms";
    if (ms < 1000) return Math.round(ms) + THIN + "ms";
    const s = ms / 1000;
    if (s < 60) return (s < 10 ? s.toFixed(1) : Math.round(s)) + THIN + "s";
    if (s < 5400) return Math.round(s / 60) + THIN + "min";
    return s < 172800 ? Math.round(s / 3600) + THIN + "h" : Math.round(s / 86400) + THIN + "d";
}

/** @param {number} ms */
export const span = (ms) => h("span", { title: `${grouped(ms)} ms` }, spanText(ms));

/** @param {Date} when */
function past(when) {
    const ms = Date.now() - when.getTime();
    return ms < 2000 ? "now" : ms < 172800000 ? `${spanText(ms)} ago` : when.toLocaleDateString();
}

/**
 * When it was: relative, the exact time on hover.
 * @param {number} ms
 */
export function ago(ms) {
    if (!ms) return h("span", "never");
    const when = new Date(ms);
    return h("time", { datetime: when.toISOString(), title: when.toLocaleString() }, past(when));
}

/** Has all relative times go on. */
export function age() {
    for (const time of document.querySelectorAll("time")) time.textContent = past(new Date(time.dateTime));
}

/**
 * "1 file", "2 files"
 * @param {number} n
 * @param {string} word
 */
export const counted = (n, word) => `${grouped(n)} ${word}${n === 1 ? "" : "s"}`;

/**
 * The colour is beside the word, never in its place.
 * @param {string} word
 */
export const verdict = (word) => h("span", { class: `verdict v-${word}` }, word);
export const VERDICTS = ["hit", "joined", "fetched", "local", "absent", "excluded", "later", "busy", "failed", "invalid"];
