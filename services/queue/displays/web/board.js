// <wd-board>: announces calls in the order they were made, each for at least five seconds, with a flash and the voice.
// What was called more than a minute before it was heard (a line that was cut) is shown in the list, and announced no more.
import { serverNow } from "../../shared/js/clock.js";
import { CLIPS, sentence, Voice } from "./voice.js";

const NEWS = 60000;
const SHOWN = 5000;
const SHIFT = 5 * 60000;
const BEAT = 30000;

const fresh = (call) => serverNow() - Date.parse(call.at) <= NEWS;
const noted = (known, more) => [...(known ?? "").split(" "), ...more].filter(Boolean).slice(-200).join(" ");

class Board extends HTMLElement {
  connectedCallback() {
    this.now = this.querySelector(".board-now");
    this.calls = [];
    this.heard = ({ detail }) => {
      if (detail.kind !== "call" || !fresh(detail.data)) return;
      this.calls.push(detail.data);
      if (!this.busy) this.next();
    };
    document.addEventListener("wd:live", this.heard);
    // A picture that never moves burns into the screen.
    this.shift = setInterval(() => document.body.classList.toggle("shifted"), SHIFT);
    if (!this.querySelector("[data-call]").hidden) this.rest();
    this.voice = new Voice();
    this.voice.addEventListener("state", () => this.sound());
    document.querySelector("[data-sound]").addEventListener("click", () => this.voice.touch());
    this.sound();
    this.voice.keep(CLIPS).then((all) => { this.dataset.voiceKept = String(all.filter(Boolean).length); });
    if (this.dataset.beat) {
      this.beater = setInterval(() => this.beat(), BEAT);
      this.beat();
    }
  }

  disconnectedCallback() {
    document.removeEventListener("wd:live", this.heard);
    for (const timer of [this.shift, this.beater]) clearInterval(timer);
    clearTimeout(this.quiet);
    this.voice.stop();
  }

  async next() {
    const call = this.calls.shift();
    this.busy = Boolean(call);
    if (!call) return;
    clearTimeout(this.quiet);
    this.querySelector("[data-number]").textContent = call.number;
    this.querySelector("[data-window]").textContent = call.window;
    this.show(true);
    this.now.classList.remove("flash");
    this.now.getBoundingClientRect(); // the flash begins anew
    this.now.classList.add("flash");
    this.dataset.announced = noted(this.dataset.announced, [call.number]);
    await Promise.all([new Promise((done) => { setTimeout(done, SHOWN); }), this.speak(call)]);
    if (!this.isConnected) return;
    await this.next();
    if (!this.busy) this.rest();
  }

  /** In both languages; in Chinese alone while others are waiting to be called. What waited too long is not spoken. */
  async speak(call) {
    if (!fresh(call)) return;
    const said = await this.voice.say(sentence(call, this.calls.length ? ["zh"] : ["zh", "en"]));
    this.dataset.spoken = noted(this.dataset.spoken, said);
  }

  /** Says on the board whether it speaks, and what a touch does. */
  sound() {
    const button = document.querySelector("[data-sound]");
    button.hidden = false;
    button.dataset.sound = this.voice.state;
    for (const each of button.querySelectorAll("[data-when]")) each.hidden = each.dataset.when !== this.voice.state;
  }

  /** An enrolled board says that it is there; of a new build it hears that way, and changes while nobody is called. */
  async beat() {
    const build = document.querySelector("meta[name=wangdian-build]").content;
    const form = new FormData();
    form.set("build", build);
    const answer = await fetch(this.dataset.beat, { method: "POST", body: form, signal: AbortSignal.timeout(BEAT / 3) }).catch(() => null);
    const served = answer?.ok ? (await answer.json().catch(() => ({}))).build : build;
    if (served && served !== build && !this.busy) location.reload();
  }

  /** Nothing new for a minute: the last call leaves the top, and stays in the list. */
  rest() {
    this.quiet = setTimeout(() => { this.show(false); this.now.classList.remove("flash"); }, NEWS);
  }

  show(on) {
    this.querySelector("[data-call]").hidden = !on;
    this.querySelector("[data-quiet]").hidden = on;
  }
}

customElements.define("wd-board", Board);
