// SPDX-License-Identifier: AGPL-3.0-or-later
// Alerts appear, change and go while their list is open; a new one is announced to screen readers,
// counted in the window's title and, if the operator wants it, heard.
import { followStream } from "./stream.js";

const ROWS_MAX = 200;
const SOUND_ON = "luuthong-alert-sound"; // a choice of the person, no data
const TONE_HZ = 880;
const TONE_S = 0.35;

/** Rows of one event and the ids of those that go. */
function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const rows = [...template.content.querySelectorAll("tr[data-alert]")];
  const gone = [...template.content.querySelectorAll("tr[data-gone]")].map((row) => row.dataset.gone);
  return { rows, gone };
}

/** Put a row where its last sighting belongs; true when the alert was not in the list before. */
function place(body, row, hasOlderPage) {
  const old = document.getElementById(row.id);
  const hadFocus = old?.contains(document.activeElement) ?? false;
  old?.remove();
  const below = [...body.children].find((other) => other.dataset.captured <= row.dataset.captured);
  if (!below && hasOlderPage && body.children.length > 0 && !old) return false;
  row.dataset.new = "";
  body.insertBefore(row, below ?? null);
  if (hadFocus) row.querySelector(".row-link").focus();
  const most = Number(body.dataset.rowsMax) || ROWS_MAX;
  while (body.children.length > most) body.lastElementChild.remove();
  return !old;
}

/** A short tone, made by the browser: nothing has to be fetched. */
function beep(audio) {
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = TONE_HZ;
  volume.gain.setValueAtTime(0.2, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + TONE_S);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + TONE_S);
}

/** The button that switches the sound; browsers allow sound only after somebody pressed something. */
function startSound(button) {
  let audio = null;
  let isOn = localStorage.getItem(SOUND_ON) !== null;
  if (!button) return () => {};
  const show = () => button.setAttribute("aria-pressed", String(isOn));
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    isOn = !isOn;
    if (isOn) localStorage.setItem(SOUND_ON, "1");
    else localStorage.removeItem(SOUND_ON);
    show();
    if (!isOn) return;
    audio ??= new AudioContext();
    beep(audio);
  });
  return () => {
    if (!isOn) return;
    audio ??= new AudioContext();
    beep(audio);
  };
}

/** Follow the server's stream, if this page shows the newest alerts. */
export function startAlerts() {
  const live = document.querySelector("[data-alerts-url]");
  const body = document.getElementById("alert-rows");
  if (!live || !body) return;

  const section = live.closest("section"); // a page may hold another live list
  const status = live.querySelector("[data-live-status]");
  const announcement = document.querySelector("[data-announcement]");
  const count = document.querySelector("[data-open-count]");
  const sound = startSound(live.querySelector("[data-sound]"));
  const texts = live.dataset;
  const title = document.title;

  function showCount() {
    const number = body.children.length;
    if ("counts" in live.dataset) count.textContent = number;
    const shown = Number(count.textContent);
    document.title = shown > 0 ? `(${count.textContent}) ${title}` : title;
    section.querySelector("[data-empty]")?.toggleAttribute("hidden", number > 0);
    section.querySelector("[data-table]")?.toggleAttribute("hidden", number === 0);
  }

  function announce(row) {
    const words = {
      rule: row.querySelector("[data-alert-rule]").textContent,
      plate: row.querySelector(".plate")?.textContent ?? "",
      place: row.querySelector("[data-alert-place]").textContent,
    };
    announcement.textContent = texts.textAlert.replace(/\{(\w+)\}/g, (_, name) => words[name]);
    sound();
  }

  function receive(html) {
    const { rows, gone } = parse(html);
    for (const id of gone) document.getElementById(id)?.remove();
    const fresh = rows.filter((row) => place(body, row, "hasOlder" in live.dataset));
    showCount();
    if (fresh.length > 0 && "announce" in live.dataset) announce(fresh[0]);
  }

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-alert]");
    if (row && !event.target.closest("a, button")) row.querySelector(".row-link").click();
  });
  showCount();
  followStream({
    url: live.dataset.alertsUrl,
    position: live.dataset.position,
    name: "alerts",
    receive,
    staysWhenHidden: true, // the count in the title and the sound are for other windows
    show(state) {
      live.dataset.state = state;
      status.textContent = texts[`text${state[0].toUpperCase()}${state.slice(1)}`];
    },
  });
}
