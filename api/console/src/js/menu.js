// SPDX-License-Identifier: AGPL-3.0-or-later
// The menu's lists close as people expect: by Escape, by a click elsewhere, when another opens.
// Opening, reading and following links needs no script.

/** Wire the menu of the bar. */
export function startMenu() {
  const menu = document.querySelector("[data-menu]");
  if (!menu) return;
  const lists = [...menu.querySelectorAll("details")];

  function closeAllBut(kept) {
    for (const list of lists) if (list !== kept) list.open = false;
  }

  for (const list of lists) {
    list.addEventListener("toggle", () => {
      if (list.open) closeAllBut(list); // browsers that do not know the group's name
    });
    list.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !list.contains(event.relatedTarget)) list.open = false;
    });
  }
  menu.addEventListener("keydown", (event) => {
    const open = lists.find((list) => list.open);
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    open.open = false;
    open.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) closeAllBut(null);
  });
}
