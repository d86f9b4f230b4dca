// SPDX-License-Identifier: AGPL-3.0-or-later
// New passages appear on top of the list while it is open. The server sends rows as HTML with the
// position in its feed as event id, so that nothing is missed after a broken link.
import htmx from "htmx.org";
import { followStream } from "./stream.js";

const ROWS_MAX = 200; // more makes old machines slow; older rows are a page away
const WAITING_MAX = 200; // rows kept while paused

/** Rows of one event, newest first. */
function parseRows(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.querySelectorAll("tr[data-passage]")];
}

/** Insert a row where its capture time belongs; false when it is already there or off the page. */
function insertRow(body, row, hasOlderPage) {
  if (document.getElementById(row.id)) return false;
  const below = [...body.children].find((other) => other.dataset.captured <= row.dataset.captured);
  if (!below && hasOlderPage && body.children.length > 0) return false;
  row.dataset.new = "";
  body.insertBefore(row, below ?? null);
  htmx.process(row);
  const most = Number(body.dataset.rowsMax) || ROWS_MAX;
  while (body.children.length > most) body.lastElementChild.remove();
  return true;
}

/** Count rows that came after the page was made; a count that ends in "+" already says enough. */
function raiseTotal(added) {
  const total = document.querySelector("[data-total]");
  if (!total || total.textContent.endsWith("+")) return;
  const number = Number(total.textContent.replace(/\D/g, "")) + added;
  total.textContent = number.toLocaleString(document.documentElement.lang);
}

/** Follow the server's stream, if this page shows the newest passages. */
export function startLive() {
  const live = document.querySelector("[data-live-url]");
  const body = document.getElementById("rows");
  if (!live || !body) return;

  const section = live.closest("section"); // a page may hold another live list
  const status = live.querySelector("[data-live-status]");
  const pause = live.querySelector("[data-live-pause]");
  const count = live.querySelector("[data-live-count]");
  const texts = live.dataset;
  let isPaused = false;
  let arrived = 0;
  let waiting = [];

  function show(state) {
    live.dataset.state = state;
    status.textContent = texts[`text${state[0].toUpperCase()}${state.slice(1)}`];
  }

  function showCount() {
    const number = isPaused ? waiting.length : arrived;
    const isFull = isPaused && number >= WAITING_MAX;
    count.hidden = number === 0;
    count.textContent = texts.textNew.replace("{count}", isFull ? `${number}+` : `${number}`);
  }

  function add(rows) {
    const added = rows.filter((row) => insertRow(body, row, "hasOlder" in live.dataset)).length;
    if (added === 0) return;
    arrived += added;
    raiseTotal(added);
    section.querySelector("[data-empty]")?.setAttribute("hidden", "");
    section.querySelector("[data-table]")?.removeAttribute("hidden");
  }

  function receive(html) {
    const rows = parseRows(html);
    if (isPaused) waiting = waiting.concat(rows).slice(-WAITING_MAX);
    else add(rows);
    showCount();
  }

  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    if (!isPaused) {
      add(waiting);
      waiting = [];
    }
    arrived = 0;
    showCount();
    if (live.dataset.state !== "lost" && live.dataset.state !== "gap") show(isPaused ? "paused" : "open");
  });

  followStream({
    url: live.dataset.liveUrl,
    position: live.dataset.position,
    name: "passages",
    receive,
    show: (state) => show(state === "open" && isPaused ? "paused" : state),
  });
}
