// SPDX-License-Identifier: MIT
// Charts by Chart.js, which the program carries as the distribution has it. Colours come from the style sheet.
import { VERDICTS, sizeText, spanText } from "./text.js";

/** @type {Promise<any> | null} */
let loading = null;

function library() {
    loading ??= new Promise((good, bad) => {
        const script = document.createElement("script");
        script.src = new URL("chart.min.js", import.meta.url).href;
        script.onload = () => good(/** @type {any} */ (window).Chart);
        script.onerror = () => bad(new Error("The charts cannot be loaded."));
        document.head.append(script);
    });
    return loading;
}

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * @param {number} ms
 * @param {number} step
 */
function label(ms, step) {
    const when = new Date(ms);
    const clock = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    return step < 3600 ? clock : `${when.toLocaleDateString([], { day: "numeric", month: "short" })} ${clock}`;
}

/**
 * @param {(value: number) => string} text
 * @param {boolean} stacked
 * @param {number} width
 */
const scales = (text, stacked, width) => ({
    x: { stacked, grid: { display: false }, ticks: { maxTicksLimit: Math.min(8, Math.ceil(width / 140)), maxRotation: 0, color: colour("--dim") } },
    y: { stacked, beginAtZero: true, grid: { color: colour("--line") }, ticks: { maxTicksLimit: 5, color: colour("--dim"), callback: text } },
});

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} type
 * @param {string[]} labels
 * @param {any[]} datasets
 * @param {(value: number) => string} text
 * @param {boolean} stacked
 */
async function draw(canvas, type, labels, datasets, text, stacked) {
    const Chart = await library();
    Chart.getChart(canvas)?.destroy();
    return new Chart(canvas, {
        type,
        data: { labels, datasets },
        options: {
            animation: false,
            responsive: true,
            maintainAspectRatio: false,
            interaction: { mode: "index", intersect: false },
            scales: scales(text, stacked, canvas.clientWidth),
            plugins: {
                legend: { position: "bottom", labels: { boxWidth: 10, boxHeight: 10, color: colour("--text") } },
                tooltip: { callbacks: { label: (/** @type {any} */ at) => `${at.dataset.label}: ${text(at.parsed.y)}` } },
            },
        },
    });
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{step_s: number, points: any[]}} history
 * @param {string} what "requests", "waits", "hits" or "bytes"
 */
export function showHistory(canvas, history, what) {
    const labels = history.points.map((point) => label(point.at_ms, history.step_s));
    if (what === "requests") {
        const there = VERDICTS.filter((verdict) => history.points.some((point) => point.verdicts[verdict]));
        const bars = (there.length ? there : ["hit", "fetched", "absent"]).map((verdict) => ({
            label: verdict,
            data: history.points.map((point) => point.verdicts[verdict]),
            backgroundColor: colour(`--${verdict}`),
            barPercentage: 1,
            categoryPercentage: 0.9,
        }));
        return draw(canvas, "bar", labels, bars, (n) => String(n), true);
    }
    if (what === "bytes") {
        const bars = [{ label: "sent", data: history.points.map((point) => point.bytes), backgroundColor: colour("--accent") }];
        return draw(canvas, "bar", labels, bars, sizeText, false);
    }
    if (what === "hits") return draw(canvas, "line", labels, [line("hit rate", history.points.map(hitRate), "--hit")], (n) => `${n} %`, false);
    const lines = [
        line("half within", history.points.map((point) => point.p50_ms), "--accent"),
        line("95 % within", history.points.map((point) => point.p95_ms), "--later", [4, 3]),
    ];
    return draw(canvas, "line", labels, lines, spanText, false);
}

/**
 * Of the requests that were answered with a file or a no, how many asked nobody.
 * @param {any} point
 */
function hitRate(point) {
    const v = point.verdicts;
    const all = v.hit + v.joined + v.fetched + v.local + v.absent + v.later + v.busy + v.failed;
    return all ? Math.round((100 * v.hit) / all) : null;
}

/**
 * @param {string} label
 * @param {(number | null)[]} data
 * @param {string} name
 * @param {number[]} [dash]
 */
const line = (label, data, name, dash = []) => ({
    label,
    data,
    borderColor: colour(name),
    backgroundColor: colour(name),
    borderDash: dash,
    borderWidth: 1.5,
    pointRadius: 0,
    tension: 0.2,
    spanGaps: true,
});
