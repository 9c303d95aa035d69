// <wd-follow data-next>: asks for the ticket again after so many seconds, which the server sets by how near the turn is.
// Nothing is asked in the background; who comes back sees the present state at once. 304 costs a few bytes.
const NEAR = 3;

class Follow extends HTMLElement {
  connectedCallback() {
    this.since = new Date();
    this.shown = () => { if (document.hidden) clearTimeout(this.timer); else this.ask(); };
    document.addEventListener("visibilitychange", this.shown);
    window.addEventListener("online", this.shown);
    this.plan(Number(this.dataset.next));
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.shown);
    window.removeEventListener("online", this.shown);
  }

  plan(seconds) {
    clearTimeout(this.timer);
    if (seconds > 0 && !document.hidden) this.timer = setTimeout(() => this.ask(), seconds * 1000);
  }

  async ask() {
    if (this.asking || !Number(this.dataset.next)) return;
    this.asking = true;
    try {
      const headers = { "HX-Request": "true", ...(this.tag && { "If-None-Match": this.tag }) };
      const answer = await fetch(location.href, { headers, cache: "no-store", signal: AbortSignal.timeout(10000) });
      if (answer.status !== 304 && !answer.ok) throw new Error(String(answer.status));
      if (answer.ok) this.take(await answer.text(), answer.headers.get("etag"));
      this.since = new Date();
      this.stale(false);
      this.plan(Number(this.dataset.next));
    } catch {
      this.stale(true);
      this.plan(Math.min(Number(this.dataset.next) * 2, 60));
    } finally {
      this.asking = false;
    }
  }

  take(html, tag) {
    const found = new DOMParser().parseFromString(html, "text/html").querySelector("wd-follow");
    if (!found) return;
    this.tag = tag;
    const before = this.dataset.ahead === "" ? Infinity : Number(this.dataset.ahead);
    const state = this.dataset.state;
    Object.assign(this.dataset, found.dataset);
    this.replaceChildren(...found.children);
    const near = this.dataset.ahead !== "" && Number(this.dataset.ahead) <= NEAR && before > NEAR;
    if (near || (this.dataset.state === "called" && state !== "called")) navigator.vibrate?.([300, 150, 300]);
  }

  stale(on) {
    const banner = document.querySelector("[data-live-stale]");
    if (!banner) return;
    banner.hidden = !on;
    banner.querySelector("[data-live-since]").textContent = this.since.toTimeString().slice(0, 5);
  }
}

customElements.define("wd-follow", Follow);
