// SPDX-License-Identifier: AGPL-3.0-or-later
// Starts the page's behaviours; each one does nothing where its elements are absent.
import htmx from "htmx.org";
import { startAlerts } from "./alerts.js";
import { startDetail } from "./detail.js";
import { startFilters } from "./filters.js";
import { startKeys } from "./keys.js";
import { startLink } from "./link.js";
import { startLive } from "./live.js";
import { startMenu } from "./menu.js";
import { startPalette } from "./palette.js";
import { startSecurityKeys } from "./security_keys.js";
import { startZoom } from "./zoom.js";

// The content security policy allows no inline script or style, and nothing of a page may stay in
// the browser's storage: these machines are shared.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyEnabled = false;
htmx.config.timeout = 15000;
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "[45]..", swap: true, error: true },
];

startMenu();
startPalette();
startLink();
startFilters();
startLive();
startAlerts();
startZoom();
startSecurityKeys();
const detail = startDetail();
startKeys(detail);
