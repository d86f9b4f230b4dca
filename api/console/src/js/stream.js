// SPDX-License-Identifier: AGPL-3.0-or-later
// A stream of server-sent events that goes on where it stopped: after a broken link, after the
// server ended it, and after the tab was hidden.

const RETRY_MS_MIN = 2000;
const RETRY_MS_MAX = 30000;

/**
 * Follow a stream from a position. `receive` gets each event of `name`; `show` gets the state:
 * "open", "lost" or "gap". A page that must be heard in the background stays when hidden.
 */
export function followStream({ url, position, name, receive, show, staysWhenHidden = false }) {
  let source = null;
  let reached = position;
  let retryMs = RETRY_MS_MIN;
  let retryTimer = 0;
  let hasGap = false;

  function disconnect() {
    window.clearTimeout(retryTimer);
    source?.close();
    source = null;
  }

  function connect() {
    disconnect();
    const address = new URL(url, window.location.href);
    address.searchParams.set("after", reached);
    source = new EventSource(address);
    source.addEventListener("open", () => {
      retryMs = RETRY_MS_MIN;
      show("open");
    });
    source.addEventListener(name, (event) => {
      reached = event.lastEventId;
      receive(event.data);
    });
    source.addEventListener("position", (event) => {
      reached = event.lastEventId;
    });
    source.addEventListener("gap", () => {
      disconnect();
      hasGap = true;
      show("gap");
    });
    source.addEventListener("error", () => {
      show("lost");
      if (source?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      disconnect();
      retryTimer = window.setTimeout(connect, retryMs * (0.75 + Math.random() / 2));
      retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
    });
  }

  // A hidden tab gives its connection back: browsers allow only six per server.
  document.addEventListener("visibilitychange", () => {
    if (staysWhenHidden || hasGap) return;
    if (document.hidden) disconnect();
    else connect();
  });
  show("lost");
  connect();
}
