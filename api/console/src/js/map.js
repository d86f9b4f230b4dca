// SPDX-License-Identifier: AGPL-3.0-or-later
// Draws the sites of the list beside it on a schematic map that comes with the console: no other
// host is asked. A marker leads to its line in the list, where everything about the site stands.
import {
  control, divIcon, geoJSON, latLngBounds, map as makeMap, marker,
} from "leaflet/dist/leaflet-src.esm.js";

const ZOOM_MIN = 8;
const ZOOM_MAX = 14;
const ZOOM_ALONE = 11;
const PADDING_PX = [24, 24];
const MARKER_PX = 36;

/** Name of a place or a road beside its point; decoration that readers skip. */
function label(feature, latlng) {
  const text = document.createElement("span");
  text.textContent = feature.properties.name;
  return marker(latlng, {
    interactive: false,
    keyboard: false,
    icon: divIcon({ className: `map-label map-label-${feature.properties.kind}`, html: text, iconSize: null }),
  });
}

/** The province: areas, rivers and roads as lines with classes, places as names. */
function drawBase(map, data) {
  const base = geoJSON(data, {
    interactive: false,
    style: (feature) => ({ className: `map-${feature.properties.kind}` }),
    pointToLayer: (feature, latlng) => label(feature, latlng),
  }).addTo(map);
  for (const feature of data.features) {
    if (!feature.properties.label_at) continue;
    const [longitude, latitude] = feature.properties.label_at;
    label({ properties: { kind: "road-name", name: feature.properties.name } }, [latitude, longitude]).addTo(map);
  }
  return base;
}

/** A marker as the list's sign of health: shape and picture, never colour alone. */
function siteMarker(item) {
  const sign = item.querySelector(".site-sign").cloneNode(true);
  const { latitude, longitude, name } = item.dataset;
  const made = marker([Number(latitude), Number(longitude)], {
    icon: divIcon({ className: "map-site", html: sign, iconSize: [MARKER_PX, MARKER_PX] }),
    title: name,
    riseOnHover: true,
  });
  made.on("add", () => {
    made.getElement().setAttribute("aria-label", `${name}: ${item.querySelector(".site-state").textContent.trim()}`);
  });
  const choose = () => {
    for (const other of document.querySelectorAll(".site[aria-current]")) other.removeAttribute("aria-current");
    const current = document.getElementById(item.id);
    current.setAttribute("aria-current", "true");
    current.querySelector("a").focus();
    current.scrollIntoView({ block: "nearest" });
  };
  made.on("click", choose);
  made.on("keypress", ({ originalEvent }) => {
    if (originalEvent.key === "Enter") choose();
  });
  return made;
}

function readItems() {
  return [...document.querySelectorAll(".site[data-latitude]")];
}

async function start() {
  const frame = document.querySelector("[data-map]");
  if (!frame) return;
  const texts = frame.dataset;
  frame.hidden = false;
  frame.setAttribute("role", "application");
  const map = makeMap(frame, {
    zoomControl: false,
    attributionControl: false,
    minZoom: ZOOM_MIN,
    maxZoom: ZOOM_MAX,
    zoomSnap: 0.5,
  });
  control.zoom({ zoomInTitle: texts.textZoomIn, zoomOutTitle: texts.textZoomOut }).addTo(map);
  control.attribution({ prefix: false }).addAttribution(texts.textOrigin).addTo(map);

  let shown = [];
  function drawSites() {
    for (const each of shown) each.remove();
    shown = readItems().map((item) => siteMarker(item).addTo(map));
  }

  const answer = await fetch(texts.mapUrl);
  const base = answer.ok ? drawBase(map, await answer.json()) : null;
  const bounds = latLngBounds(readItems().map((item) => [Number(item.dataset.latitude), Number(item.dataset.longitude)]));
  if (base) bounds.extend(base.getBounds());
  if (bounds.isValid()) map.fitBounds(bounds, { padding: PADDING_PX, maxZoom: ZOOM_ALONE });
  else map.setView([16, 106], ZOOM_MIN);
  drawSites();
  document.addEventListener("htmx:load", (event) => {
    if (event.target.closest("#sites")) drawSites();
  });
}

start();
