// Rating at the kiosk: the slip's code is scanned, then one question after the other, five faces with their words.
import { call } from "./line.js";
import { home, say } from "./screens.js";
import { keepRating } from "./store.js";

const section = document.querySelector("#rate");
const part = (name) => section.querySelector(`[data-rate=${name}]`);
const code = section.querySelector("input[name=code]");
const english = document.documentElement.lang === "en";
const CODE = /[A-Za-z0-9_-]{22}$/;
const KNOWN = ["not_found", "taken_by_staff", "not_served_yet", "invitation_not_ready", "answered", "expired"];

let link = null;
let items = [];
let answers = {};
let at = 0;
let looking = false;

const only = (name) => { for (const each of ["scan", "ask", "done"]) part(each).hidden = each !== name; };

/** Nothing of the last customer stays. */
function clear() {
  [link, items, answers, at] = [null, [], {}, 0];
  code.value = "";
  section.querySelector("[data-question]").textContent = "";
  only("scan");
}

/** The faces for a scale of five, figures for any other. */
function scale(item) {
  if (item.scale_min === 1 && item.scale_max === 5) return section.querySelector("template").content.cloneNode(true);
  const all = document.createDocumentFragment();
  for (let score = item.scale_min; score <= item.scale_max; score += 1) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "rate-figure", value: score });
    button.textContent = score;
    all.append(button);
  }
  return all;
}

function ask() {
  const item = items[at];
  section.querySelector("[data-count]").textContent = `${at + 1}/${items.length}`;
  section.querySelector("[data-question]").textContent = english ? item.texts.en : item.texts.zh;
  const choices = section.querySelector("[data-choices]");
  choices.replaceChildren(scale(item));
  for (const button of choices.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(answers[item.code] === Number(button.value)));
  }
  section.querySelector("[data-skip]").hidden = item.required;
  section.querySelector("[data-before]").hidden = at === 0;
  section.querySelector("[data-send]").hidden = !items.every((each) => each.code in answers);
  only("ask");
  section.querySelector("[data-question]").focus({ preventScroll: true });
}

function chosen(score) {
  answers[items[at].code] = score;
  at = Math.min(at + 1, items.length - 1);
  ask();
}

async function look() {
  const found = code.value.trim().match(CODE);
  code.value = "";
  if (!found) return say("rate", "not_found");
  let invitation;
  try {
    invitation = await call("GET", `/surveys/v1/tickets/${found[0]}/invitation`);
  } catch (error) {
    return say("rate", KNOWN.includes(error.code) ? error.code : "off");
  }
  if (location.hash !== "#rate") return undefined;
  if (invitation.status !== "open") return say("rate", KNOWN.includes(invitation.status) ? invitation.status : "not_found");
  [link, items, answers, at] = [invitation.token, invitation.questionnaire.items, {}, 0];
  return ask();
}

/** Start; `kept` is called when a rating is stored and can be sent. */
export function begin(kept) {
  document.querySelector("[data-rate-link]").hidden = false;
  part("scan").addEventListener("submit", (event) => {
    event.preventDefault();
    if (looking) return;
    looking = true;
    look().finally(() => { looking = false; part("scan").querySelector("[aria-busy]")?.removeAttribute("aria-busy"); });
  });
  section.querySelector("[data-choices]").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) chosen(Number(button.value));
  });
  section.querySelector("[data-skip] button").addEventListener("click", () => chosen(null));
  section.querySelector("[data-before] button").addEventListener("click", () => { at -= 1; ask(); });
  section.querySelector("[data-send] button").addEventListener("click", async () => {
    if (link === null) return;
    const given = Object.fromEntries(Object.entries(answers).filter(([, score]) => score !== null));
    const to = link;
    link = null;
    try {
      await keepRating(to, given);
    } catch {
      link = to; // nothing was kept: the answers stand, and can be sent again
      say("rate", "off");
      return;
    }
    clear();
    only("done");
    part("done").querySelector("h2").focus({ preventScroll: true });
    kept();
  });
  part("done").querySelector("button").addEventListener("click", home);
  const shown = () => { clear(); if (location.hash === "#rate") code.focus({ preventScroll: true }); };
  window.addEventListener("hashchange", shown);
  // What a scanner types goes to the field, wherever the last touch was.
  window.addEventListener("keydown", (event) => {
    if (location.hash === "#rate" && !part("scan").hidden && event.key.length === 1 && !document.querySelector("dialog[open]")) code.focus();
  });
  shown();
}
