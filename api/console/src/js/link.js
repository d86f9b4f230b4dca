// SPDX-License-Identifier: AGPL-3.0-or-later
// Slow and cut links: nobody loses what they typed, nothing is sent twice, and what could not be
// fetched can be asked for again. Our pages are never stored by the browser, so after a failed
// submit it could not bring a form back: forms ask whether the server is there before they go.
import htmx from "htmx.org";

const PROBE = "/v1/health";
const PROBE_MS = 10000;

/** Whether the server answers just now. */
async function isReachable() {
  if (!navigator.onLine) return false;
  try {
    const wait = AbortSignal.timeout?.(PROBE_MS);
    const answer = await fetch(PROBE, { cache: "no-store", credentials: "omit", signal: wait });
    return answer.status < 500;
  } catch {
    return false;
  }
}

/** Whether somebody typed or chose something in a form that would be a pity to lose. */
function holdsInput(form) {
  return [...form.elements].some((field) =>
    field.matches("textarea, select, input:not([type=hidden], [type=submit], [type=button])"),
  );
}

/** The strip that tells of a broken link, with a way to try again. */
function startStrip() {
  const strip = document.querySelector("[data-link-strip]");
  const text = strip.querySelector("[data-link-text]");
  const button = strip.querySelector("[data-link-retry]");
  let retry = null;

  button.addEventListener("click", () => {
    const again = retry;
    hide();
    again?.();
  });
  function hide() {
    strip.hidden = true;
    retry = null;
  }
  return {
    hide,
    show(kind, again = null) {
      text.textContent = strip.dataset[kind];
      retry = again;
      button.hidden = !again;
      strip.hidden = false;
    },
  };
}

/** Forms are sent once, and only when somebody is there to take them. */
function guardForms(strip) {
  const release = (form) => {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return; // htmx took it, or nothing changes
    if ("reached" in form.dataset) {
      delete form.dataset.reached;
      return;
    }
    if ("sent" in form.dataset) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "";
    form.setAttribute("aria-busy", "true");
    if (!holdsInput(form)) return;
    event.preventDefault();
    const submitter = event.submitter;
    if (await isReachable()) {
      form.dataset.reached = "";
      form.requestSubmit(submitter);
      return;
    }
    release(form);
    strip.show("unsent", () => form.requestSubmit(submitter));
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) release(form);
  });
}

/** Ask again for what htmx could not fetch. */
function askAgain(detail) {
  const { verb, path, parameters } = detail.requestConfig;
  htmx.ajax(verb, path, { source: detail.elt, target: detail.target, values: parameters });
}

/** Watch the link on the whole page. */
export function startLink() {
  if (!document.querySelector("[data-link-strip]")) return;
  const strip = startStrip();
  guardForms(strip);
  window.addEventListener("offline", () => strip.show("offline"));
  window.addEventListener("online", () => strip.hide());
  for (const failure of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      if (event.detail.target?.id === "detail") return; // the pane beside a list tells it itself
      strip.show("unfetched", () => askAgain(event.detail));
    });
  }
  document.addEventListener("htmx:afterOnLoad", () => strip.hide());
  if (!navigator.onLine) strip.show("offline");
}
