// <wd-live data-src data-after data-zone>: one stream a browser, whatever the number of tabs. Whoever holds the lock
// reads it and passes everything on; each tab keeps its own cursor, so the next holder goes on where it is.
// Regions (data-live-region) ask for themselves again when something changed: their htmx trigger is "live".
// Who needs what an event says (a board) listens for "wd:live" on the document: detail = {kind, seq, data}.
import { correct, serverNow } from "./clock.js";

const TICK = 8000;
const SILENCE = 2.5 * TICK;
const FIRST_WAIT = 500;
const SOON = { wait: 1500, until: 60000 };
const LATER = 30000;
const CONNECT = 4000;
const AGAIN = { wait: 1000, spread: 300 };
const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });
/** Reads a stream of events: calls back with {kind, seq, data} for each. */
export const read = async (body, heard) => {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const of = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
      heard({ kind: of.event, seq: of.id === undefined ? null : Number(of.id), data: JSON.parse(of.data ?? "{}") });
    }
  }
};

class Live extends HTMLElement {
  connectedCallback() {
    this.cursor = this.dataset.after === undefined ? null : Number(this.dataset.after);
    this.good = serverNow();
    this.last = performance.now();
    this.asked = new Map();
    this.left = new AbortController();
    this.channel = "BroadcastChannel" in window ? new BroadcastChannel(`wd-live:${this.dataset.src}`) : null;
    if (this.channel) this.channel.onmessage = (event) => this.heard(event.data);
    this.watch = setInterval(() => this.look(), 500);
    this.swapped = (event) => this.asked.delete(event.detail?.ctx?.sourceElement ?? event.target);
    document.addEventListener("htmx:after:swap", this.swapped);
    // Without locks (a page over plain HTTP) each tab reads for itself.
    if (navigator.locks) {
      navigator.locks.request(`wd-live:${this.dataset.src}`, { signal: this.left.signal }, () => this.lead()).catch(() => {});
    } else this.lead();
  }

  disconnectedCallback() {
    this.left.abort();
    clearInterval(this.watch);
    this.channel?.close();
    document.removeEventListener("htmx:after:swap", this.swapped);
  }

  async lead() {
    let wait = FIRST_WAIT;
    while (!this.left.signal.aborted) {
      const since = performance.now();
      await this.stream();
      if (this.left.signal.aborted) return;
      // A short cut heals at once; a long one is not made worse by all who ask.
      const longest = performance.now() - this.last < SOON.until ? SOON.wait : LATER;
      wait = performance.now() - since > SILENCE ? FIRST_WAIT : Math.min(wait * 2, longest);
      await sleep(wait * (0.5 + Math.random() / 2));
    }
  }

  async stream() {
    const cut = new AbortController();
    const end = () => cut.abort();
    this.left.signal.addEventListener("abort", end);
    // A half-open connection says nothing, ever: only the missing tick tells.
    let alive = performance.now() - SILENCE + CONNECT;
    const dog = setInterval(() => { if (performance.now() - alive > SILENCE) cut.abort(); }, 500);
    try {
      const url = new URL(this.dataset.src, location.href);
      if (this.cursor !== null) url.searchParams.set("after", String(this.cursor));
      const answer = await fetch(url, { signal: cut.signal, headers: { "HX-Request": "true" }, cache: "no-store" });
      if (!answer.ok) return;
      await read(answer.body, (event) => {
        alive = performance.now();
        this.channel?.postMessage(event);
        this.heard(event);
      });
    } catch {
      // The network, or the end of the page: the loop tries again.
    } finally {
      clearInterval(dog);
      this.left.signal.removeEventListener("abort", end);
      cut.abort();
    }
  }

  heard({ kind, seq, data }) {
    this.last = performance.now();
    if (data.now) correct(data.now);
    this.good = serverNow();
    const known = this.cursor;
    if (kind === "tick") {
      if (known === null || data.seq > known) this.change();
      this.cursor = data.seq;
    } else if (kind === "snapshot") {
      this.cursor = seq;
      this.change();
    } else if (known === null || seq > known) {
      this.cursor = seq;
      this.change();
      document.dispatchEvent(new CustomEvent("wd:live", { detail: { kind, seq, data } }));
    }
    this.look();
  }

  /** Whether the figures are old is said on the page, and the time they are of. */
  look() {
    const stale = performance.now() - this.last > SILENCE;
    document.documentElement.dataset.liveState = stale ? "stale" : "fresh";
    for (const banner of document.querySelectorAll("[data-live-stale]")) {
      if (banner.hidden !== stale) continue;
      const time = banner.querySelector("[data-live-since]");
      if (time) time.textContent = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: this.dataset.zone }).format(this.good);
      banner.hidden = !stale;
    }
    // What was asked for and never came is asked for again.
    const now = performance.now();
    if (!stale) for (const [region, at] of this.asked) if (now - at > TICK) this.ask(region);
  }

  change() {
    for (const region of document.querySelectorAll("[data-live-region]")) this.ask(region);
  }

  /** Once a second at most, and not all screens of a branch in the same moment. */
  ask(region) {
    if (region.dataset.liveDue) return;
    region.dataset.liveDue = "1";
    const since = performance.now() - Number(region.dataset.liveAsked ?? -AGAIN.wait);
    setTimeout(() => {
      delete region.dataset.liveDue;
      this.asked.delete(region);
      if (!region.isConnected) return;
      region.dataset.liveAsked = String(performance.now());
      this.asked.set(region, performance.now());
      region.dispatchEvent(new CustomEvent("live"));
    }, Math.max(0, AGAIN.wait - since) + Math.random() * AGAIN.spread);
  }
}

customElements.define("wd-live", Live);
