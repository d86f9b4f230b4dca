// SPDX-License-Identifier: AGPL-3.0-or-later
// The command palette: Ctrl+K, type some letters, Enter. It knows the pages of the menu and the
// buttons of this page; anything else is sent to the server as a plate or a dossier's code.

const ACTIONS_MAX = 20;

/** Letters as people type them in a hurry: small, without Vietnamese marks. */
function plain(text) {
  return text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/[đĐ]/g, "d")
    .toLowerCase()
    .trim();
}

/** Buttons and button-like links of the page that a person can see, with their texts. */
function pageActions() {
  const found = new Map();
  for (const element of document.querySelectorAll("main .button, main [data-command]")) {
    const text = element.textContent.replace(/\s+/g, " ").trim();
    if (!text || element.closest("tr, dialog") || !element.checkVisibility?.()) continue;
    if (!element.disabled && !found.has(text) && found.size < ACTIONS_MAX) found.set(text, element);
  }
  return found;
}

/** Wire the palette, on pages that have one. */
export function startPalette() {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const input = dialog.querySelector("[data-palette-input]");
  const list = dialog.querySelector("[data-palette-list]");
  const none = dialog.querySelector("[data-palette-none]");
  const model = dialog.querySelector("[data-palette-action]").content.firstElementChild;
  let shown = [];
  let at = -1;

  function mark(index) {
    shown[at]?.setAttribute("aria-selected", "false");
    at = shown.length === 0 ? -1 : (index + shown.length) % shown.length;
    shown[at]?.setAttribute("aria-selected", "true");
    shown[at]?.scrollIntoView({ block: "nearest" });
    if (at < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", shown[at].id);
  }

  function filter() {
    const wanted = plain(input.value);
    const items = [...list.children];
    for (const item of items) item.hidden = !plain(item.textContent).includes(wanted);
    shown[at]?.setAttribute("aria-selected", "false");
    shown = items.filter((item) => !item.hidden);
    none.hidden = shown.length > 0;
    mark(0);
  }

  function addActions() {
    for (const old of list.querySelectorAll("[data-action]")) old.remove();
    let number = 0;
    for (const [text, element] of pageActions()) {
      const item = model.cloneNode(true);
      item.id = `palette-action-${number++}`;
      item.dataset.action = "";
      item.querySelector("span").textContent = text;
      item.run = () => element.click();
      list.append(item);
    }
  }

  function open() {
    if (dialog.open) return;
    addActions();
    input.value = "";
    dialog.showModal();
    input.focus();
    filter();
  }

  function choose(item) {
    dialog.close();
    if (item.run) item.run();
    else window.location.assign(item.dataset.path);
  }

  input.addEventListener("input", filter);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      mark(at + step);
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      choose(shown[at]);
    }
  });
  list.addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (item) choose(item);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the backdrop belongs to the dialog
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (!document.querySelector("dialog[open]:not(#palette)")) open();
  });
  for (const opener of document.querySelectorAll("[data-palette]")) {
    opener.hidden = false;
    opener.addEventListener("click", open);
  }
}
