// SPDX-License-Identifier: MIT
// The table of all pages: sorted, filtered and paged on the server, with all of that in the address; rows open in place; columns
// may be hidden; what is shown can be taken along as CSV.
import { download, h, put, say } from "./dom.js";
import { change, route } from "./route.js";
import { grouped } from "./text.js";

/**
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: any) => any} cell what is shown
 * @property {(row: any) => any} [csv] what goes into the file; the cell's text where there is none
 * @property {string} [sort] the server's word for it; it cannot be sorted by it without
 * @property {boolean} [number] stands to the right
 * @property {1 | 2 | 3} [rank] 2 and 3 leave narrow windows first
 * @property {boolean} [off] hidden until it is chosen
 */

/**
 * @typedef {object} Table
 * @property {string} name under which choices are kept
 * @property {Column[]} columns
 * @property {(params: Record<string, any>, signal: AbortSignal) => Promise<any>} load
 * @property {{name: string, label: string, options?: string[]}[]} [filters]
 * @property {string} [sort] by which it is sorted at first, and "asc" or "desc"
 * @property {string} [order]
 * @property {(row: any) => any} open what a row shows when it is opened
 * @property {(row: any) => Record<string, any>} [next] what asks for the rows after this one; else pages by offset
 * @property {string} empty what is said when there is none
 * @property {number} [again] it is asked for anew after so many ms, while no row is open and the page stands at its top
 * @property {() => boolean} [live] and while this holds
 */

const PAGE = 100;
const CSV_ROWS = 100000;

/**
 * @param {Table} table
 * @param {AbortSignal} signal
 * @returns {{element: HTMLElement, refresh: () => Promise<void>}}
 */
export function makeTable(table, signal) {
    const hidden = new Set(JSON.parse(localStorage.getItem(`columns-${table.name}`) ?? "null") ?? table.columns.filter((c) => c.off).map((c) => c.title));
    const head = h("thead");
    const body = h("tbody");
    const foot = h("div", { class: "paging" });
    const element = h("div", { class: "table" }, tools(), h("div", { class: "scroll" }, h("table", { role: "treegrid", "aria-label": table.name }, head, body)), foot);
    /** @type {any[]} */
    let rows = [];
    let more = false;
    let asked = 0;

    const shown = () => table.columns.filter((column) => !hidden.has(column.title));

    function asks() {
        const params = Object.fromEntries(route().params);
        /** @type {Record<string, any>} */
        const query = { limit: PAGE, ...(table.next ? {} : { offset: 0 }), ...params };
        if (table.sort) query.sort ??= table.sort;
        if (table.sort) query.order ??= table.order ?? "desc";
        return query;
    }

    async function refresh() {
        const mine = ++asked;
        try {
            const answer = await table.load(asks(), signal);
            if (mine !== asked || signal.aborted) return;
            rows = answer.rows;
            more = answer.more;
            paint(answer.total);
        } catch (/** @type {any} */ error) {
            if (!signal.aborted) put(foot, error.message);
        }
    }

    /** @param {number} [total] */
    function paint(total) {
        put(head, h("tr", shown().map(heading)));
        put(body, rows.length ? rows.map(line) : h("tr", h("td", { colspan: shown().length, class: "dim" }, table.empty)));
        put(foot, paging(total));
    }

    /** @param {Column} column */
    function heading(column) {
        const { sort, order } = asks();
        const mine = column.sort && column.sort === sort;
        return h(
            "th",
            { scope: "col", "data-key": column.title, class: classes(column), "aria-sort": mine ? (order === "asc" ? "ascending" : "descending") : null },
            column.sort
                ? h("button", { onclick: () => turn({ sort: column.sort ?? "", order: mine && order === "desc" ? "asc" : "desc" }) }, column.title, mine ? (order === "asc" ? " ▴" : " ▾") : null)
                : column.title,
        );
    }

    /** @param {Column} column */
    const classes = (column) => `${column.number ? "n " : ""}r${column.rank ?? 1}`;

    /** @param {any} row */
    function line(row) {
        const made = h("tr", { tabindex: 0, "data-key": row.n ?? row.file ?? row.identifier, "aria-expanded": "false", onclick: act, onkeydown: key }, shown().map((column) => h("td", { class: classes(column) }, column.cell(row))));
        /** @param {Event} event */
        function act(event) {
            if (/** @type {Element} */ (event.target).closest("a, button, input, select")) return;
            toggle(made, row);
        }
        /** @param {KeyboardEvent} event */
        function key(event) {
            if (event.target !== made) return;
            if (event.key === "Enter" || event.key === " ") toggle(made, row);
            else if (event.key === "ArrowDown") step(made, "nextElementSibling");
            else if (event.key === "ArrowUp") step(made, "previousElementSibling");
            else if (event.key === "Escape" && opened(made)) toggle(made, row);
            else return;
            event.preventDefault();
        }
        return made;
    }

    /** @param {Element} made */
    const opened = (made) => made.nextElementSibling?.classList.contains("opened");

    /**
     * @param {Element} made
     * @param {any} row
     */
    function toggle(made, row) {
        const open = !opened(made);
        made.setAttribute("aria-expanded", String(open));
        /** @param {KeyboardEvent} event */
        const close = (event) => event.key === "Escape" && (toggle(made, row), /** @type {HTMLElement} */ (made).focus());
        if (open) made.after(h("tr", { class: "opened", onkeydown: close }, h("td", { colspan: shown().length }, table.open(row))));
        else made.nextElementSibling?.remove();
    }

    /**
     * @param {Element} from
     * @param {"nextElementSibling" | "previousElementSibling"} way
     */
    function step(from, way) {
        let to = from[way];
        while (to?.classList.contains("opened")) to = to[way];
        /** @type {HTMLElement | null} */ (to)?.focus();
    }

    /** @param {Record<string, any>} changes */
    function turn(changes) {
        change({ offset: "", before: "", n: "", ...changes }, true);
        return refresh();
    }

    /** @param {number} [total] */
    function paging(total) {
        const query = asks();
        const last = rows[rows.length - 1];
        if (table.next)
            return [
                query.before ? h("button", { onclick: () => turn({}) }, "newest") : null,
                more ? h("button", { onclick: () => turn(/** @type {any} */ (table.next)(last)) }, "older") : null,
            ];
        const from = Number(query.offset);
        if (!from && rows.length >= (total ?? 0)) return null;
        return [
            h("span", total ? `${grouped(from + 1)}–${grouped(from + rows.length)} of ${grouped(total)}` : null),
            h("button", { disabled: from === 0, onclick: () => turn({ offset: from > PAGE ? from - PAGE : "" }) }, "back"),
            h("button", { disabled: from + rows.length >= (total ?? 0), onclick: () => turn({ offset: from + PAGE }) }, "on"),
        ];
    }

    function tools() {
        return h(
            "div",
            { class: "tools" },
            (table.filters ?? []).map(filter),
            h("details", { class: "columns" }, h("summary", "Columns"), h("div", table.columns.map(chooser))),
            h("button", { onclick: takeAlong }, "CSV"),
        );
    }

    /** @param {{name: string, label: string, options?: string[]}} one */
    function filter(one) {
        const value = route().params.get(one.name) ?? "";
        const attributes = { "aria-label": one.label, name: one.name };
        let timer = 0;
        /** @param {Event} event */
        const now = (event) => turn({ [one.name]: /** @type {HTMLInputElement} */ (event.target).value });
        if (one.options)
            return h("select", { ...attributes, onchange: now }, h("option", { value: "" }, one.label), one.options.map((word) => h("option", { value: word, selected: word === value }, word)));
        return h("input", {
            ...attributes,
            type: "search",
            placeholder: one.label,
            value,
            oninput: (/** @type {Event} */ event) => {
                window.clearTimeout(timer);
                timer = window.setTimeout(now, 250, event);
            },
        });
    }

    /** @param {Column} column */
    function chooser(column) {
        return h("label", h("input", { type: "checkbox", checked: !hidden.has(column.title), onchange: choose }), column.title);
        function choose() {
            if (!hidden.delete(column.title)) hidden.add(column.title);
            localStorage.setItem(`columns-${table.name}`, JSON.stringify([...hidden]));
            refresh();
        }
    }

    async function takeAlong() {
        const lines = [shown().map((column) => quoted(column.title)).join(",")];
        /** @type {Record<string, any>} */
        let query = { ...asks(), limit: 1000 };
        for (let taken = 0; taken < CSV_ROWS; ) {
            const answer = await table.load(query, signal);
            for (const row of answer.rows) lines.push(shown().map((column) => quoted(text(column, row))).join(","));
            taken += answer.rows.length;
            if (!(answer.more ?? answer.rows.length === 1000)) break;
            query = table.next ? { ...query, ...table.next(answer.rows[answer.rows.length - 1]) } : { ...query, offset: Number(query.offset) + 1000 };
        }
        download(lines.join("\r\n") + "\r\n", `${table.name}.csv`, "text/csv");
        if (lines.length > CSV_ROWS) say(`Only the first ${grouped(CSV_ROWS)} rows.`);
    }

    if (table.again) {
        const timer = window.setInterval(() => {
            if (!document.hidden && (table.live?.() ?? true) && !element.querySelector(".opened") && window.scrollY < 100) refresh();
        }, table.again);
        signal.addEventListener("abort", () => window.clearInterval(timer));
    }
    return { element, refresh };
}

/**
 * @param {Column} column
 * @param {any} row
 */
const text = (column, row) => String(column.csv ? column.csv(row) : h("i", column.cell(row)).textContent);

/**
 * What begins like a formula is kept from being one.
 * @param {string} value
 */
const quoted = (value) => `"${(/^[=+\-@\t\r]/.test(value) ? "'" : "") + value.replaceAll('"', '""')}"`;
