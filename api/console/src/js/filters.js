// SPDX-License-Identifier: AGPL-3.0-or-later
// Small comforts of forms: own time range only when asked for, and no second click while waiting.

/** Wire every form that wants it. */
export function startFilters() {
  const period = document.querySelector("[data-period]");
  const range = document.querySelector("[data-range]");
  if (period && range) {
    const show = () => {
      range.hidden = period.value !== "custom";
    };
    period.addEventListener("change", show);
    show();
  }

  const fold = document.querySelector("details[data-fold-narrow]");
  if (fold && window.matchMedia("(max-width: 760px)").matches && !("active" in fold.dataset)) {
    fold.open = false;
  }

  for (const form of document.querySelectorAll("form[data-busy]")) {
    form.addEventListener("submit", () => {
      form.setAttribute("aria-busy", "true");
      document.querySelector("[data-results]")?.classList.add("is-loading");
    });
  }
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[aria-busy]")) form.removeAttribute("aria-busy");
    document.querySelector("[data-results]")?.classList.remove("is-loading");
  });

  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    if (!button.closest("#detail")) button.addEventListener("click", () => window.print());
  }
}
