// The kiosk: takes numbers from its own store, on and off the line alike; the line only decides how soon they are told.
import { call, clockOffset, onLine, ready } from "./line.js";
import { begin } from "./rate.js";
import { flush, Persistent, sendRatings, stock } from "./replay.js";
import { atRest, say, show, showWaits, watchIdle } from "./screens.js";
import { counts, help, issue, left, recall, remember } from "./store.js";

const root = document.querySelector("[data-kiosk]");
const { unit, worker } = root.dataset;
const services = [...root.querySelectorAll("[data-tile]")].map((tile) => tile.dataset.tile);
const build = document.querySelector("meta[name=wangdian-build]").content;
const waits = new Map();
let up = navigator.onLine;

const reporter = new Persistent(async () => {
  await flush(unit);
  await stock(unit, services);
  if (root.dataset.stocked !== "yes") beater.now(); // the manager sees at once that it has numbers
  root.dataset.stocked = "yes";
}, 15000);

const rater = new Persistent(sendRatings, 60000);

const looker = new Persistent(async () => {
  const found = (await call("GET", `/queue/v1/branches/${unit}/waits`)).services;
  found.forEach((each) => waits.set(each.service, each));
  showWaits(found);
  remember("waits", found);
}, 15000);

const beater = new Persistent(async () => {
  const kept = await counts();
  const have = await left(Date.now() + clockOffset());
  const scarcest = Math.min(...services.map((service) => have.get(service) ?? 0));
  const reply = await call("POST", "/queue/v1/devices/heartbeat", { build, outbox: kept.outbox, lease_left: Number.isFinite(scarcest) ? scarcest : 0 });
  // A new build is fetched whole beside the old one, waits until nobody is in the middle of something, and comes once.
  if (reply.build !== build) await keep(worker.replace(`/static/${build}/`, `/static/${reply.build}/`)).catch(() => {});
  const registration = await navigator.serviceWorker?.getRegistration("/queue/kiosk");
  if (registration?.waiting && atRest()) registration.waiting.postMessage("take over");
}, 30000);

/** What to tell the customer: the waits as last heard, and those who took a number here since. */
function quoteOf(service) {
  const known = waits.get(service);
  if (!known) return { ahead: null, p50: null, p80: null };
  const told = { ahead: known.ahead, p50: known.p50, p80: known.p80 };
  const [p50, p80] = known.next.shift() ?? [known.p50, known.p80];
  Object.assign(known, { ahead: known.ahead + 1, p50, p80 });
  return told;
}

async function take(form) {
  const service = form.elements.service.value;
  const told = quoteOf(service);
  const ticket = await issue(service, clockOffset(), told);
  if (ticket) {
    show(ticket, form.closest("section").querySelector("h1").textContent, told);
    showWaits([...waits.values()]);
    reporter.now();
  } else if (up) {
    form.submit();
  } else {
    await help(clockOffset());
    say("no-number");
  }
}

let taking = false;
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-take], [data-help]");
  if (!form) return;
  event.preventDefault();
  if (taking) return;
  taking = true;
  const work = form.matches("[data-take]") ? take(form) : callHelp();
  work.catch(() => say("no-number")).finally(() => {
    taking = false;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  });
});

async function callHelp() {
  await help(clockOffset());
  const told = await flush(unit).catch(() => false);
  say(told ? "helped" : "help-later");
  if (!told) reporter.now();
}

onLine(async (now) => {
  document.querySelector("[data-offline]").hidden = now;
  if (now && !up) { reporter.now(); rater.now(); looker.now(); }
  up = now;
  document.querySelector("[data-needs-staff]").hidden = (await counts()).refused === 0;
});
window.addEventListener("online", () => { reporter.now(); rater.now(); beater.now(); });

const keep = (script) => navigator.serviceWorker.register(script, { scope: "/queue/kiosk", type: "module" });

async function work() {
  if ("serviceWorker" in navigator) {
    const before = navigator.serviceWorker.controller;
    let reloaded = !before;
    navigator.serviceWorker.addEventListener("controllerchange", () => {
      if (reloaded) { reloaded = false; return; }
      reloaded = true;
      location.reload();
    });
    await keep(worker);
  }
}

await ready;
for (const each of (await recall("waits")) ?? []) waits.set(each.service, each);
watchIdle();
begin(() => rater.now());
reporter.now();
rater.now();
looker.now();
beater.now();
navigator.storage?.persist?.();
// Off the line the worker that is there already goes on.
work().catch(() => {});
root.dataset.ready = "yes";
