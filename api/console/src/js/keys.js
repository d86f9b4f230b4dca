// SPDX-License-Identifier: AGPL-3.0-or-later
// Keyboard: J and K move through the list, Enter opens, Esc closes, / searches, P pauses, ? helps.
// Single-letter keys can be switched off in the help (WCAG 2.1.4).

const SWITCHED_OFF = "luuthong-keys-off";

const isTyping = (element) => element.closest("input, select, textarea, [contenteditable]") !== null;

/** Move the focus by one row of the page's list; when a detail is open it follows. */
function move(step, detail) {
  const links = [...document.querySelectorAll("main .row-link")];
  if (links.length === 0) return;
  const row = document.activeElement?.closest("main tr, main li") ?? document.querySelector("tr[data-selected]");
  const at = links.findIndex((link) => row?.contains(link));
  const next = links[Math.min(Math.max(at + step, 0), links.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  if (detail?.isOpen()) next.click();
}

/** Go to the field in which this page searches. */
function goToSearch() {
  document.querySelector("[data-fold-narrow]")?.setAttribute("open", "");
  document.querySelector("[data-plate-filter], main form input.input:not([type=hidden])")?.focus();
}

/** Listen for keys on the whole page. */
export function startKeys(detail) {
  const help = document.getElementById("help");
  const opener = document.querySelector("[data-help]");
  const choice = document.querySelector("[data-keys-choice]");
  if (!help || !opener) return;

  const actions = {
    j: () => move(1, detail),
    k: () => move(-1, detail),
    p: () => document.querySelector("[data-live-pause]:not([hidden])")?.click(),
    "/": goToSearch,
    "?": () => help.showModal(),
  };

  let isOn = localStorage.getItem(SWITCHED_OFF) === null;
  choice.checked = isOn;
  choice.addEventListener("change", () => {
    isOn = choice.checked;
    if (isOn) localStorage.removeItem(SWITCHED_OFF);
    else localStorage.setItem(SWITCHED_OFF, "1");
  });
  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      detail?.close();
      return;
    }
    if (!isOn || isTyping(event.target)) return;
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
