// SPDX-License-Identifier: AGPL-3.0-or-later
// The detail of one passage beside the list. Without this script its link opens a page of its own.
//
// The pane opens when a row is chosen, not when the answer comes: a person may close it, go back or
// choose another row while the link is slow. An answer nobody waits for any more is given up.
import htmx from "htmx.org";

const NARROW = window.matchMedia("(max-width: 1099px)");

/** Wire the list to the detail pane; returns what the keyboard needs, or null on other pages. */
export function startDetail() {
  const workspace = document.querySelector("[data-workspace]");
  const pane = document.getElementById("detail");
  const rows = document.getElementById("rows");
  if (!workspace || !pane || !rows) return null;

  let isLeaving = false; // our own history.back() is under way: the browser goes back later
  const isOpen = () => "detail" in workspace.dataset;
  const hasEntry = () => Boolean(history.state?.detail);
  const addEntry = () => history.pushState({ detail: true }, "");

  function select(row) {
    workspace.querySelector("tr[data-selected]")?.removeAttribute("data-selected");
    row?.setAttribute("data-selected", "");
  }

  function fill(templateId) {
    pane.replaceChildren(document.getElementById(templateId).content.cloneNode(true));
  }

  /** On narrow screens the pane covers the list, so the focus must be in it. */
  function takeFocus() {
    if (NARROW.matches) pane.querySelector("[data-detail-title]")?.focus();
  }

  function open(row) {
    select(row);
    pane.setAttribute("aria-busy", "true");
    if (!isOpen()) {
      workspace.dataset.detail = "";
      fill("detail-waiting");
      if (!isLeaving && !hasEntry()) addEntry();
    }
    if (NARROW.matches) takeFocus();
    else row.scrollIntoView({ block: "nearest" });
  }

  function shut() {
    if (!isOpen()) return;
    htmx.trigger(rows, "htmx:abort"); // requests of all rows are synchronised on their table body
    delete workspace.dataset.detail;
    pane.removeAttribute("aria-busy");
    pane.replaceChildren();
    const row = workspace.querySelector("tr[data-selected]");
    select(null);
    row?.querySelector(".row-link")?.focus();
  }

  function close() {
    if (!isOpen()) return;
    shut();
    if (isLeaving || !hasEntry()) return;
    isLeaving = true;
    history.back();
  }

  workspace.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-passage]");
    if (!row || event.target.closest("a, button")) return;
    row.querySelector(".row-link").click();
  });
  workspace.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target === pane) open(event.detail.elt.closest("tr"));
  });
  workspace.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== pane) return;
    pane.removeAttribute("aria-busy");
    takeFocus();
  });
  for (const failure of ["htmx:sendError", "htmx:timeout"]) {
    workspace.addEventListener(failure, (event) => {
      if (event.detail.target !== pane) return;
      pane.removeAttribute("aria-busy");
      fill("detail-failed");
      takeFocus();
    });
  }
  pane.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
    if (!event.target.closest("[data-close-detail]")) return;
    event.preventDefault();
    close();
  });
  window.addEventListener("popstate", () => {
    if (!isLeaving) {
      shut();
      return;
    }
    isLeaving = false;
    if (isOpen()) addEntry(); // another row was chosen before the browser had gone back
  });

  return { isOpen, close };
}
