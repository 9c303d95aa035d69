// The desk: where the focus goes after an act, the present state after a refusal, minutes that count on.
import { on } from "../../shared/js/keys.js";
import { serverNow } from "../../shared/js/clock.js";

/** <wd-since data-from>: whole minutes since a moment, by the server's clock. */
class Since extends HTMLElement {
  connectedCallback() { this.timer = setInterval(() => this.show(), 1000); }

  disconnectedCallback() { clearInterval(this.timer); }

  show() {
    const text = String(Math.max(0, Math.floor((serverNow() - new Date(this.dataset.from)) / 60000)));
    if (this.textContent !== text) this.textContent = text;
  }
}

customElements.define("wd-since", Since);

// By then the form itself may be gone: what was an act of the teller is known before it is sent.
const acts = new WeakSet();
document.addEventListener("htmx:before:request", (event) => {
  if (event.detail.ctx.sourceElement instanceof HTMLFormElement) acts.add(event.detail.ctx);
});

// After an act, never after a refresh: the card is read out, the next key is at hand.
document.addEventListener("htmx:after:swap", (event) => {
  const ctx = event.detail.ctx;
  if (!acts.has(ctx)) return;
  if (ctx.response.status < 400) {
    document.getElementById("customer")?.focus();
    // What was sent is done with: the same reason is not sent twice.
    document.querySelectorAll("[data-done] form").forEach((form) => form.reset());
  } else document.querySelector("[data-live-region]")?.dispatchEvent(new CustomEvent("live"));
});

const ready = () => {
  const box = document.querySelector("[data-keys-off]");
  if (!box) return;
  box.closest("[data-needs-script]").hidden = false;
  box.checked = !on();
};

document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-keys-off]")) localStorage.setItem("wd-keys", event.target.checked ? "off" : "on");
});
document.addEventListener("htmx:after:swap", ready);
ready();
