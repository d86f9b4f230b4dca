// SPDX-License-Identifier: AGPL-3.0-or-later
// Hands a question to a security key and sends what it answers with the form. Without this script
// the button stays off, and the page says so.

// The field of the credentials container, and what is binary in the question and in the answer.
const BINARY = { create: ["attestationObject"], get: ["authenticatorData", "signature", "userHandle"] };
const REASONS = { AbortError: "cancelled", InvalidStateError: "known", NotAllowedError: "cancelled" };

/** Bytes of a text in base64url. */
function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}

/** Bytes as a text in base64url, without padding. */
function textOf(buffer) {
  const plain = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return plain.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The question as browsers want it: what is binary as bytes. */
function questionOf(options) {
  const named = (list) => list?.map((each) => ({ ...each, id: bytesOf(each.id) }));
  return {
    ...options,
    challenge: bytesOf(options.challenge),
    user: options.user && { ...options.user, id: bytesOf(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
    allowCredentials: named(options.allowCredentials),
  };
}

/** What the key answered, as the server wants it. */
function answerOf(credential, kind) {
  const response = { clientDataJSON: textOf(credential.response.clientDataJSON) };
  for (const name of BINARY[kind]) {
    if (credential.response[name]) response[name] = textOf(credential.response[name]);
  }
  return { id: credential.id, rawId: textOf(credential.rawId), type: credential.type, response };
}

/** Wire the one form of a page that asks a key. */
export function startSecurityKeys() {
  const form = document.querySelector("form[data-key]");
  const button = form?.querySelector("[data-key-ask]");
  if (!button || !window.PublicKeyCredential) return;
  const kind = form.dataset.key;
  const problem = form.querySelector("[data-key-problem]");
  let isAsking = false;

  button.addEventListener("click", async () => {
    if (isAsking) return;
    isAsking = true;
    problem.hidden = true;
    try {
      const publicKey = questionOf(JSON.parse(form.dataset.keyOptions));
      const credential = await navigator.credentials[kind]({ publicKey });
      form.elements.answer.value = JSON.stringify(answerOf(credential, kind));
      form.requestSubmit();
    } catch (error) {
      problem.textContent = button.dataset[REASONS[error.name] ?? "unfit"];
      problem.hidden = false;
    } finally {
      isAsking = false;
    }
  });
  form.querySelector("[data-key-off]").hidden = true;
  button.disabled = false;
  button.focus();
}
