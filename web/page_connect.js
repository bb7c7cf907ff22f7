// SPDX-License-Identifier: MIT
// Lines to be copied; only for clients whose way of asking a test plays.
import { get } from "./api.js";
import { copied, h, panel, put } from "./dom.js";
import { TEST } from "./route.js";

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} _params
 * @param {AbortSignal} signal
 */
export async function show(place, _params, signal) {
    const overview = await get("overview", {}, signal);
    const own = new URL(location.href);
    if (overview.host && overview.host !== "localhost") own.hostname = overview.host;
    const url = `${own.origin}/symbols`;
    const path = overview.sympath || `srv*${url}`;
    put(
        place,
        h("h1", "Connect"),
        panel("WinDbg, cdb, Visual Studio, PerfView (symsrv)", copied(`_NT_SYMBOL_PATH=${path}`), h("p", { class: "dim" }, "As an environment variable. A folder between two asterisks keeps what comes on that machine:"), copied(`srv*C:\\Symbols*${url}`)),
        panel("WinDbg, in its command line", copied(`.sympath ${path}`), copied(".reload /f")),
        panel("Visual Studio", h("p", "Tools, Options, Debugging, Symbols: add"), copied(url)),
        panel("VS Code", h("p", "launch.json, cppvsdbg:"), copied(`"symbolOptions": {"searchPaths": ["${url}"]}`)),
        panel("PerfView", copied(`PerfView.exe /SymbolPath:"${path}"`)),
        panel("dotnet-symbol", copied(`dotnet-symbol --server-path ${url} FILE`)),
        panel("Breakpad", copied(`minidump-stackwalk --symbols-url ${url}/ DUMP`)),
        panel("Sentry, Symbolicator", h("p", "A custom repository, or a source of the configuration:"), copied(`{"type": "http", "id": "symgate", "name": "symgate", "url": "${url}/", "layout": {"type": "symstore"}, "filters": {"filetypes": ["pe", "pdb", "portablepdb"]}}`)),
        panel("Ghidra", h("p", "Symbol Server Config: add the URL"), copied(`${url}/`)),
        panel("Does it work?", copied(`curl -I ${own.origin}/${TEST}`), h("p", { class: "dim" }, "A symbol of Microsoft's; X-Symgate-Verdict says what happened.")),
    );
}
