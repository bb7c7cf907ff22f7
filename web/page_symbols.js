// SPDX-License-Identifier: MIT
import { get } from "./api.js";
import { cut, h, put } from "./dom.js";
import { link } from "./route.js";
import { makeTable } from "./table.js";
import { ago, number, shared, size, spanText } from "./text.js";
import { symbolDetails } from "./page_symbol.js";

const AGAIN_MS = 30000; // with very many names it takes half a second of the server

/**
 * pySymProxy's columns; each server's misses and hits at the end, hidden until they are chosen.
 * @param {any[]} servers
 * @returns {import("./table.js").Column[]}
 */
function columns(servers) {
    /** @param {any} row */
    const accepted = (row) => row.numRequests - row.numExcluded;
    return [
        { title: "Symbol", sort: "file", cell: (row) => cut(row.file, link("symbol", { name: row.file })), csv: (row) => row.file },
        { title: "Requests", sort: "numRequests", number: true, cell: (row) => number(row.numRequests), csv: (row) => row.numRequests },
        { title: "Successful", sort: "numSuccess", number: true, cell: (row) => shared(row.numSuccess, accepted(row)), csv: (row) => row.numSuccess },
        { title: "Failed", sort: "numFail", number: true, rank: 2, cell: (row) => shared(row.numFail, accepted(row)), csv: (row) => row.numFail },
        { title: "Excluded", sort: "numExcluded", number: true, rank: 3, cell: (row) => shared(row.numExcluded, row.numRequests), csv: (row) => row.numExcluded },
        { title: "Cache hits", sort: "numCacheHit", number: true, rank: 2, cell: (row) => shared(row.numCacheHit, accepted(row)), csv: (row) => row.numCacheHit },
        { title: "Cache misses", sort: "numCacheMiss", number: true, off: true, cell: (row) => number(row.numCacheMiss), csv: (row) => row.numCacheMiss },
        { title: "Pending", number: true, rank: 3, cell: (row) => number(row.numPending), csv: (row) => row.numPending },
        { title: "Ids", number: true, rank: 3, cell: (row) => number(row.ids), csv: (row) => row.ids },
        { title: "Total time", sort: "totalTimeServicing", number: true, rank: 3, cell: (row) => spanText(row.totalTimeServicing * 1000), csv: (row) => row.totalTimeServicing },
        { title: "Bytes", sort: "bytes", number: true, rank: 2, cell: (row) => size(row.bytes), csv: (row) => row.bytes },
        { title: "Last access", sort: "lastAccessTime", number: true, rank: 2, cell: (row) => ago(row.lastAccessTime * 1000), csv: (row) => row.lastAccessTime },
        ...servers.flatMap((server) => [
            { title: `${server.name}: misses`, number: true, off: true, cell: (/** @type {any} */ row) => number(row.serverMisses[server.identifier] ?? 0) },
            { title: `${server.name}: hits`, number: true, off: true, cell: (/** @type {any} */ row) => number(row.serverHits[server.identifier] ?? 0) },
        ]),
    ];
}

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} _params
 * @param {AbortSignal} signal
 */
export async function show(place, _params, signal) {
    const table = makeTable(
        {
            name: "symbols",
            columns: columns(await get("servers", {}, signal)),
            filters: [{ name: "search", label: "search names" }],
            sort: "numRequests",
            load: (query, stop) => get("symbols", query, stop),
            open: (row) => symbolDetails(row.file, signal),
            again: AGAIN_MS,
            empty: "No symbol fits. With no request yet, see Connect for the line to put into a debugger.",
        },
        signal,
    );
    put(place, h("h1", "Symbols"), table.element);
    await table.refresh();
}
