// SPDX-License-Identifier: AGPL-3.0-or-later
// Draws every chart of the page from its own table. The picture can be walked through with the
// arrow keys; what it says at that place stands as text above it and is told to readers.
import uPlot from "uplot";

const HEIGHT_PX = 220;
const HEIGHT_SMALL_PX = 170;
const SMALL_BELOW_PX = 520;
const ZONE = "Asia/Ho_Chi_Minh";
const DAY_S = 86400;
const DASHES = { area: [], line: [], dashed: [8, 5], dotted: [2, 4] };
const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };

const drawn = new Map();

/** Times and values of a chart's table: columns, as the drawing library wants them. */
function readTable(figure) {
  const rows = [...figure.querySelectorAll("tbody tr[data-at]")];
  const styles = [...figure.querySelectorAll("th[data-series]")].map((cell) => ({
    label: cell.textContent,
    style: cell.dataset.series,
  }));
  const times = rows.map((row) => Number(row.dataset.at));
  const columns = styles.map((_, index) =>
    rows.map((row) => {
      const text = row.querySelectorAll("td")[index].dataset.value;
      return text === "" ? null : Number(text);
    }),
  );
  const texts = rows.map((row) => [...row.children].map((cell) => cell.textContent));
  return { times, columns, styles, texts };
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** One series as the library wants it; lines differ in their dashes, not in colour alone. */
function seriesOptions({ label, style }, index) {
  const name = `--chart-${index + 1}`;
  return {
    label,
    stroke: () => colour(name),
    fill: style === "area" ? () => `${colour(name)}26` : undefined,
    width: 2,
    dash: DASHES[style],
    points: { show: false },
    spanGaps: false,
  };
}

function axes(language, times) {
  const isLong = times.length > 1 && times[times.length - 1] - times[0] > 2 * DAY_S;
  const time = new Intl.DateTimeFormat(language, { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(language, { timeZone: ZONE, day: "2-digit", month: "2-digit" });
  const number = new Intl.NumberFormat(language);
  const look = {
    stroke: () => colour("--muted"),
    grid: { stroke: () => colour("--line"), width: 1 },
    ticks: { stroke: () => colour("--line"), width: 1, size: 4 },
    font: "12px sans-serif",
  };
  return [
    { ...look, values: (_, splits) => splits.map((s) => (isLong ? day : time).format(new Date(s * 1000))) },
    { ...look, size: 52, values: (_, splits) => splits.map((value) => number.format(value)) },
  ];
}

function size(picture) {
  const width = Math.max(picture.clientWidth, 160);
  return { width, height: width < SMALL_BELOW_PX ? HEIGHT_SMALL_PX : HEIGHT_PX };
}

/** Show the texts of one row above the picture, or the newest ones again. */
function makeReadout(figure, table) {
  const at = figure.querySelector("[data-chart-at]");
  const values = [...figure.querySelectorAll("[data-chart-value]")];
  const newest = values.map((element) => element.textContent);
  return (index) => {
    const texts = index === null ? null : table.texts[index];
    at.hidden = texts === null;
    at.textContent = texts === null ? "" : texts[0];
    values.forEach((element, place) => {
      element.textContent = texts === null ? newest[place] : texts[place + 1];
    });
  };
}

/** Let the arrow keys walk through the picture, as a slider over its moments. */
function addKeys(picture, plot, table, show) {
  const last = table.times.length - 1;
  let index = last;
  const say = () => {
    const words = table.styles.map(({ label }, place) => `${label} ${table.texts[index][place + 1]}`);
    picture.setAttribute("aria-valuenow", String(index));
    picture.setAttribute("aria-valuetext", `${table.texts[index][0]}: ${words.join(", ")}`);
  };
  picture.setAttribute("aria-valuemin", "0");
  picture.setAttribute("aria-valuemax", String(last));
  say();
  picture.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    index = Math.min(Math.max(index + step, 0), last);
    plot.setCursor({ left: plot.valToPos(table.times[index], "x"), top: 0 });
    show(index);
    say();
  });
  picture.addEventListener("blur", () => {
    plot.setCursor({ left: -10, top: -10 });
    show(null);
  });
}

function draw(figure) {
  const picture = figure.querySelector("[data-chart-picture]");
  if (!picture || drawn.has(figure)) return;
  const table = readTable(figure);
  if (table.times.length === 0) return;
  picture.hidden = false;
  picture.tabIndex = 0;
  picture.setAttribute("role", "slider");
  picture.setAttribute("aria-labelledby", figure.querySelector(".chart-title").id);
  const show = makeReadout(figure, table);
  const maximum = Number(figure.dataset.maximum);
  const plot = new uPlot(
    {
      ...size(picture),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), ZONE),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
      scales: { y: { range: (_, low, high) => [0, maximum || Math.max(high * 1.1, 1)] } },
      axes: axes(document.documentElement.lang, table.times),
      series: [{}, ...table.styles.map(seriesOptions)],
      hooks: { setCursor: [(self) => show(self.cursor.idx ?? null)] },
    },
    [table.times, ...table.columns],
    picture,
  );
  addKeys(picture, plot, table, show);
  const observer = new ResizeObserver(() => plot.setSize(size(picture)));
  observer.observe(picture);
  drawn.set(figure, { plot, observer });
}

/** Forget charts that left the page, and draw those that came. */
function drawAll() {
  for (const [figure, { plot, observer }] of drawn) {
    if (figure.isConnected) continue;
    observer.disconnect();
    plot.destroy();
    drawn.delete(figure);
  }
  for (const figure of document.querySelectorAll("[data-chart]")) draw(figure);
}

drawAll();
document.addEventListener("htmx:load", drawAll);
// Charts refresh themselves, but never under somebody's hands.
document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.target.closest("[data-keep-while-used]");
  const isUsed = part?.contains(document.activeElement) || part?.querySelector("details[open]");
  if (isUsed) event.preventDefault();
});
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const { plot } of drawn.values()) plot.redraw(false);
});
