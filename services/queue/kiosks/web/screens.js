// What the kiosk shows: the ticket, the waits on the tiles, dialogs, and the way back to the beginning.
import { draw } from "./qr.js";

const root = document.querySelector("[data-kiosk]");
const taken = root.querySelector("[data-taken]");
const elder = root.dataset.elder === "yes";
const IDLE = elder ? { after: 180, warn: 60 } : { after: 60, warn: 20 };
const HOME = "/queue/kiosk?lang=zh&mode=normal";

const up = (seconds) => Math.ceil(seconds / 60);
const when = (place, name, on) => { place.querySelector(`[data-when=${name}]`).hidden = !on; };
const slot = (name, text) => taken.querySelectorAll(`[data-slot=${name}]`).forEach((each) => { each.textContent = text; });

/** Show a ticket that is stored. `told`: {ahead, p50, p80}, null where nobody knows. */
export function show(ticket, service, told) {
  slot("number", ticket.number);
  slot("service", service);
  slot("ahead", told.ahead ?? "");
  slot("low", told.p50 === null ? "" : up(told.p50));
  slot("high", told.p80 === null ? "" : up(told.p80));
  slot("time", new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: root.dataset.zone,
  }).format(ticket.at));
  when(taken, "next", told.ahead === 0);
  when(taken, "one", told.ahead === 1);
  when(taken, "many", told.ahead > 1);
  when(taken, "now", told.p50 === 0);
  when(taken, "minutes", told.p50 > 0);
  when(taken, "unknown", told.p50 === null);
  draw(taken.querySelector("[data-qr]"), ticket.qr);
  root.querySelectorAll(".kiosk-home, .kiosk-sheet").forEach((each) => { each.hidden = true; });
  taken.hidden = false;
  taken.querySelector("h1").focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
  if (root.dataset.prints === "yes") window.print();
}

/** The waits as they are: [{service, ahead, p50, p80}]. */
export function showWaits(services) {
  for (const each of services) {
    const tile = root.querySelector(`[data-tile="${CSS.escape(each.service)}"]`);
    if (!tile) continue;
    tile.querySelector("[data-ahead]").textContent = each.ahead;
    tile.querySelector("[data-low]").textContent = each.p50 === null ? "" : up(each.p50);
    tile.querySelector("[data-high]").textContent = each.p80 === null ? "" : up(each.p80);
    when(tile, "now", each.p50 === 0);
    when(tile, "minutes", each.p50 > 0);
    when(tile, "unknown", each.p50 === null);
  }
}

/** Open one of the dialogs; `why` chooses among its texts, where it has several. */
export function say(name, why = "") {
  const dialog = document.querySelector(`dialog[data-say=${name}]`);
  for (const text of dialog.querySelectorAll("[data-why]")) text.hidden = text.dataset.why !== why;
  document.querySelectorAll("dialog[open]").forEach((each) => each.close());
  dialog.querySelector("button").onclick = () => dialog.close();
  dialog.showModal();
}

/** Whether nobody is using the kiosk: the beginning, untouched. */
export const atRest = () => taken.hidden && !/^#(s-|more|rate)/.test(location.hash) && !root.closest(".kiosk.low") && !document.querySelector("dialog[open]");

/** Back to the beginning, in Chinese and the usual size; nothing of this customer stays. */
export function home() {
  if (location.pathname + location.search === HOME) {
    document.querySelectorAll("dialog[open]").forEach((each) => each.close());
    history.replaceState(null, "", HOME);
    location.hash = "home";
    root.querySelectorAll(".kiosk-home, .kiosk-sheet").forEach((each) => { each.hidden = false; });
    taken.hidden = true;
    lower(false);
    slot("number", "");
    root.querySelector("#choose").focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  } else {
    location.replace(HOME);
  }
}

const low = document.querySelector("[data-lower]");
/** For who sits or is small: everything moves to the lower half, within reach, until the next customer. */
function lower(on) {
  root.closest(".kiosk").classList.toggle("low", on);
  low.setAttribute("aria-pressed", String(on));
  window.scrollTo({ top: 0 });
}
low.hidden = false;
low.addEventListener("click", () => lower(low.getAttribute("aria-pressed") !== "true"));

// By a clock that nobody sets: the wall clock jumps when it is corrected, and would throw a customer out or stay for ever.
let touched = performance.now();
const untouched = () => atRest() && location.pathname + location.search === HOME;
const touch = () => { touched = performance.now(); };
for (const name of ["pointerdown", "keydown", "hashchange"]) window.addEventListener(name, touch);

/** Looks once a second whether the customer has gone: warns first, and a touch is enough to stay. */
export function watchIdle() {
  setInterval(() => {
    const idle = (performance.now() - touched) / 1000;
    if (untouched() || idle < IDLE.after) return;
    const left = Math.ceil(IDLE.after + IDLE.warn - idle);
    if (left <= 0) { touch(); home(); return; }
    const dialog = document.querySelector("dialog[data-say=idle]");
    if (!dialog.open) say("idle");
    dialog.querySelector("[data-left]").textContent = String(left);
  }, 1000);
}

window.addEventListener("hashchange", () => {
  document.querySelector(/^#(s-|rate)/.test(location.hash) ? `${location.hash} h1` : "#choose")?.focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
});
taken.querySelector(".kiosk-end button:first-child").addEventListener("click", home);
taken.querySelector(".kiosk-end button:last-child").addEventListener("click", () => window.print());
