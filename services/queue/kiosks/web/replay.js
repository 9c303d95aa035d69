// Reports what happened, oldest first, one batch at a time whichever tab does it; and keeps numbers in stock.
import { call, serverNow } from "./line.js";
import { dropRating, keepLease, left, oldest, ratings, settle } from "./store.js";

const BATCH = 50;
const LEAST = 12;
const SLOWEST = 60000;

/** What the API takes of an act. */
const told = ({ told: quote, ...act }) => ({ ...act, ...(quote && { told: quote }) });

/** Report everything; true when nothing is left. An act that is refused is answered too and holds up nobody. */
export const flush = (unit) => navigator.locks.request("wangdian-kiosk-flush", async () => {
  for (;;) {
    const acts = await oldest(BATCH);
    if (!acts.length) return true;
    const reply = await call("POST", "/queue/v1/tickets/sync", { unit, actions: acts.map(told) }, acts[0].id + acts.length);
    await settle(acts, reply.results);
  }
});

/** What says that a try was none: to be tried again later. Any other refusal is an answer, such as "rated already". */
const later = (status) => status === undefined || status >= 500 || [401, 408, 429].includes(status);

/** Send the ratings that have not arrived. */
export const sendRatings = () => navigator.locks.request("wangdian-kiosk-ratings", async () => {
  for (const { seq, id, link, answers } of await ratings()) {
    try {
      await call("POST", `/surveys/v1/invitations/${link}/response`, { answers }, id);
    } catch (error) {
      if (later(error.status)) throw error;
    }
    await dropRating(seq);
  }
});

/** Borrow numbers of each service that has few left. */
export const stock = (unit, services) => navigator.locks.request("wangdian-kiosk-stock", async () => {
  const have = await left(serverNow());
  for (const service of services) {
    if ((have.get(service) ?? 0) < LEAST) await keepLease(await call("POST", "/queue/v1/kiosks/lease", { unit, service }));
  }
});

/** Tries `work` at once and then every `calm` ms; after a failure sooner at first, then ever more rarely, never all at once. */
export class Persistent {
  constructor(work, calm) {
    Object.assign(this, { work, calm, wait: 1000, running: false });
  }

  async now() {
    clearTimeout(this.timer);
    if (this.running) { this.again = true; return; }
    this.running = true;
    let next = this.calm;
    try {
      await this.work();
      this.wait = 1000;
    } catch {
      next = this.wait * (0.75 + Math.random() / 2);
      this.wait = Math.min(this.wait * 2, SLOWEST);
    }
    this.running = false;
    if (this.again) { this.again = false; next = 0; }
    this.timer = setTimeout(() => this.now(), next);
  }
}
