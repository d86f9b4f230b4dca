// SPDX-License-Identifier: AGPL-3.0-or-later
// Pictures open in a window in which they can be enlarged and moved, by keys, wheel and pointer.

const SCALE_MAX = 12;
const STEP = 1.4;
const MOVE_PX = 60;

/** Wire the window to every picture of the page, those that come later included. */
export function startZoom() {
  const dialog = document.getElementById("zoom");
  const frame = dialog?.querySelector("[data-zoom-frame]");
  if (!frame) return;
  let picture = null;
  let scale = 1;
  let x = 0;
  let y = 0;

  function place() {
    const limitX = (frame.clientWidth * (scale - 1)) / 2;
    const limitY = (frame.clientHeight * (scale - 1)) / 2;
    x = Math.min(Math.max(x, -limitX), limitX);
    y = Math.min(Math.max(y, -limitY), limitY);
    picture.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    dialog.dataset.scale = scale.toFixed(2);
  }

  function zoom(factor) {
    const wanted = Math.min(Math.max(scale * factor, 1), SCALE_MAX);
    x *= wanted / scale;
    y *= wanted / scale;
    scale = wanted;
    place();
  }

  function move(right, down) {
    x += right;
    y += down;
    place();
  }

  function reset() {
    [scale, x, y] = [1, 0, 0];
    place();
  }

  const keys = {
    "+": () => zoom(STEP),
    "=": () => zoom(STEP),
    "-": () => zoom(1 / STEP),
    0: reset,
    ArrowLeft: () => move(MOVE_PX, 0),
    ArrowRight: () => move(-MOVE_PX, 0),
    ArrowUp: () => move(0, MOVE_PX),
    ArrowDown: () => move(0, -MOVE_PX),
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".picture a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    picture = link.querySelector("img").cloneNode();
    picture.draggable = false;
    frame.replaceChildren(picture);
    dialog.showModal();
    frame.focus();
    reset();
  });
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the list below has keys of its own
    if (!keys[event.key] || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  frame.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY < 0 ? STEP : 1 / STEP);
  });
  frame.addEventListener("pointerdown", (event) => frame.setPointerCapture(event.pointerId));
  frame.addEventListener("pointermove", (event) => {
    if (frame.hasPointerCapture(event.pointerId)) move(event.movementX, event.movementY);
  });
  dialog.querySelector("[data-zoom-in]").addEventListener("click", () => zoom(STEP));
  dialog.querySelector("[data-zoom-out]").addEventListener("click", () => zoom(1 / STEP));
  dialog.querySelector("[data-zoom-reset]").addEventListener("click", reset);
  dialog.querySelector("[data-zoom-close]").addEventListener("click", () => dialog.close());
}
