// Reports what happened, oldest first, one batch at a time whichever tab does it; and keeps numbers in stock.
import { call, serverNow } from "./line.js";
import { keepLease, left, oldest, settle } from "./store.js";

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
