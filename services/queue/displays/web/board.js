// <wd-board>: announces calls in the order they were made, each for at least five seconds, with a flash. What was called
// more than a minute before it was heard (a line that was cut) is shown in the list, and announced no more.
import { serverNow } from "../../shared/js/clock.js";

const NEWS = 60000;
const SHOWN = 5000;
const SHIFT = 5 * 60000;

class Board extends HTMLElement {
  connectedCallback() {
    this.now = this.querySelector(".board-now");
    this.calls = [];
    this.heard = ({ detail }) => {
      if (detail.kind !== "call" || serverNow() - Date.parse(detail.data.at) > NEWS) return;
      this.calls.push(detail.data);
      if (!this.busy) this.next();
    };
    document.addEventListener("wd:live", this.heard);
    // A picture that never moves burns into the screen.
    this.shift = setInterval(() => document.body.classList.toggle("shifted"), SHIFT);
    if (!this.querySelector("[data-call]").hidden) this.rest();
  }

  disconnectedCallback() {
    document.removeEventListener("wd:live", this.heard);
    clearInterval(this.shift);
    clearTimeout(this.timer);
    clearTimeout(this.quiet);
  }

  next() {
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
    this.dataset.announced = [...(this.dataset.announced ?? "").split(" "), call.number].filter(Boolean).slice(-50).join(" ");
    this.timer = setTimeout(() => { this.next(); if (!this.busy) this.rest(); }, SHOWN);
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
