// SPDX-License-Identifier: AGPL-3.0-or-later
// The detail of one passage beside the list. Without this script its link opens a page of its own.

const NARROW = window.matchMedia("(max-width: 1099px)");

/** Wire the list to the detail pane; returns what the keyboard needs, or null on other pages. */
export function startDetail() {
  const workspace = document.querySelector("[data-workspace]");
  const pane = document.getElementById("detail");
  if (!workspace || !pane) return null;

  const isOpen = () => "detail" in workspace.dataset;
  const rowOf = (link) => link.closest("tr");

  function select(row) {
    workspace.querySelector("tr[data-selected]")?.removeAttribute("data-selected");
    row?.setAttribute("data-selected", "");
  }

  function shut() {
    if (!isOpen()) return;
    delete workspace.dataset.detail;
    pane.replaceChildren();
    const row = workspace.querySelector("tr[data-selected]");
    select(null);
    row?.querySelector(".row-link")?.focus();
  }

  function close() {
    if (isOpen() && history.state?.detail) history.back();
    else shut();
  }

  function opened() {
    if (!isOpen()) history.pushState({ detail: true }, "");
    workspace.dataset.detail = "";
    if (NARROW.matches) pane.querySelector("[data-detail-title]")?.focus();
    else workspace.querySelector("tr[data-selected]")?.scrollIntoView({ block: "nearest" });
  }

  workspace.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-passage]");
    if (!row || event.target.closest("a, button")) return;
    row.querySelector(".row-link").click();
  });
  workspace.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target !== pane) return;
    select(rowOf(event.detail.elt));
    pane.setAttribute("aria-busy", "true");
  });
  workspace.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target !== pane) return;
    pane.removeAttribute("aria-busy");
    opened();
  });
  for (const failure of ["htmx:sendError", "htmx:timeout"]) {
    workspace.addEventListener(failure, (event) => {
      if (event.detail.target !== pane) return;
      pane.removeAttribute("aria-busy");
      const template = document.getElementById("detail-failed");
      pane.replaceChildren(template.content.cloneNode(true));
      opened();
    });
  }
  pane.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
    if (!event.target.closest("[data-close-detail]")) return;
    event.preventDefault();
    close();
  });
  window.addEventListener("popstate", shut);

  return { isOpen, close };
}
