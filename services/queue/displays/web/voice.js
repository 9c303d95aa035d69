// The board's voice: recorded clips in sequence, without gaps. Text and flash are there whether it speaks or not.
const FOLDER = new URL("./voice/", import.meta.url);
const MUTED = "wd-voice";

const count = (text) => (/^\d{1,2}$/.test(text) ? Number(text) : null);
const spelled = (text) => [...text.toLowerCase()].filter((each) => /[0-9a-z]/.test(each));
const zhCount = (n) => [n >= 20 && Math.floor(n / 10), n >= 10 && 10, n % 10 || n === 0 ? n % 10 : false].filter((each) => each !== false);
const enCount = (n) => (n < 20 ? [n] : [n - (n % 10), n % 10].filter((each, at) => at === 0 || each));
const windowIn = (text, counted) => (count(text) === null ? spelled(text) : counted(count(text)));

/** What is said of a call, clip by clip: a number digit by digit, a window as people count. */
export const sentence = ({ number, window }, languages) => [
  "chime",
  ...(languages.includes("zh") ? ["please", ...spelled(number), "to", ...windowIn(window, zhCount), "window"].map((clip) => `zh/${clip}`) : []),
  ...(languages.includes("en") ? ["number", ...spelled(number), "to", ...windowIn(window, enCount)].map((clip) => `en/${clip}`) : []),
];

/** Speaks through Web Audio. `state`: "on", "muted" by somebody, or "blocked" until the screen is touched once. */
export class Voice extends EventTarget {
  constructor() {
    super();
    this.clips = new Map();
    this.context = "AudioContext" in window ? new AudioContext() : null;
    this.muted = localStorage.getItem(MUTED) === "off";
    this.context?.addEventListener("statechange", () => this.tell());
  }

  get state() {
    if (this.muted) return "muted";
    return this.context?.state === "running" ? "on" : "blocked";
  }

  tell() { this.dispatchEvent(new Event("state")); }

  /** A touch: sound is allowed from here on, or turned off and on again. */
  async touch() {
    if (this.state !== "blocked") {
      this.muted = !this.muted;
      localStorage.setItem(MUTED, this.muted ? "off" : "on");
    }
    await this.context?.resume();
    if (this.muted) this.stop();
    this.tell();
  }

  async clip(name) {
    if (!this.clips.has(name)) {
      this.clips.set(name, fetch(new URL(`${name}.opus`, FOLDER))
        .then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new Error(name))))
        .then((bytes) => this.context.decodeAudioData(bytes))
        .catch(() => { this.clips.delete(name); return null; }));
    }
    return this.clips.get(name);
  }

  /** Fetch clips before they are needed: a cut line silences nobody. */
  keep(names) { return Promise.all(names.map((name) => this.clip(name))); }

  stop() {
    for (const source of this.playing ?? []) source.stop();
    this.playing = [];
  }

  /** Speak clips one after the other; resolves with the names of those that were heard when the last has ended. */
  async say(names) {
    if (this.state !== "on") return [];
    const found = await this.keep(names);
    if (this.state !== "on") return [];
    let at = this.context.currentTime + 0.05;
    this.playing = [];
    const heard = names.filter((_, index) => found[index]);
    for (const buffer of found) {
      if (!buffer) continue;
      const source = this.context.createBufferSource();
      source.buffer = buffer;
      source.connect(this.context.destination);
      source.start(at);
      at += buffer.duration;
      this.playing.push(source);
    }
    const last = this.playing.at(-1);
    if (last) await new Promise((done) => { last.onended = done; });
    return heard;
  }
}

const DIGITS = [..."0123456789"];
/** Every clip of a board, those that each call needs first. */
export const CLIPS = [
  "chime", "zh/please", "zh/to", "zh/window", "en/number", "en/to",
  ...[...DIGITS, "10"].map((each) => `zh/${each}`),
  ...[...DIGITS, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 30, 40, 50, 60, 70, 80, 90].map((each) => `en/${each}`),
];
