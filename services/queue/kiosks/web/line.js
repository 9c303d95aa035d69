// The line to the server: short tokens, the difference of the clocks, and whether it is up.
import { recall, remember } from "./store.js";

const TIMEOUT = 8000;
let token = null;
let ends = 0;
let asking = null;
let offset = 0;

/** Milliseconds that our clock lacks against the server's, measured at the last contact. */
export const clockOffset = () => offset;
/** The server's time now. */
export const serverNow = () => Date.now() + offset;
export const ready = recall("offset").then((known) => { offset = known ?? 0; });

const said = new EventTarget();
/** Hear when the line goes up or down: `detail` is true when it is up. */
export const onLine = (listener) => said.addEventListener("line", (event) => listener(event.detail));
const tell = (up) => said.dispatchEvent(new CustomEvent("line", { detail: up }));

/** What the server answered with another status than 2xx; `code` is the problem's, where it says one. */
export class Refused extends Error {
  constructor(status, code) {
    super(String(status));
    Object.assign(this, { status, code });
  }
}

async function send(path, options) {
  let answer;
  try {
    answer = await fetch(path, { cache: "no-store", redirect: "error", signal: AbortSignal.timeout(TIMEOUT), ...options });
  } catch (error) {
    tell(false);
    throw error;
  }
  // A server in trouble is a line that is down; a refusal is an answer.
  tell(answer.status < 500);
  if (!answer.ok) throw new Refused(answer.status, (await answer.json().catch(() => ({}))).code);
  return answer.json();
}

async function renew() {
  const given = await send("/queue/devices/token", { method: "POST" });
  token = given.token;
  ends = Date.now() + Date.parse(given.expires_at) - serverNow();
}

/** The token; who asks while one is on its way waits for that one. */
async function bearer() {
  if (!token || Date.now() > ends - 60000) {
    asking ??= renew().finally(() => { asking = null; });
    await asking;
  }
  return token;
}

/** Call the API; `key` makes a write safe to repeat. Rejects when the line is down, or with Refused. */
export async function call(method, path, body, key = crypto.randomUUID()) {
  await ready;
  const headers = { Authorization: `Bearer ${await bearer()}`, "Idempotency-Key": key };
  if (body) headers["Content-Type"] = "application/json";
  const begun = Date.now();
  try {
    const reply = await send(path, { method, headers, body: body && JSON.stringify(body) });
    if (reply.server_now) {
      const half = (Date.now() - begun) / 2;
      offset = Date.parse(reply.server_now) + half - Date.now();
      remember("offset", offset);
    }
    return reply;
  } catch (error) {
    if (error.status === 401) token = null;
    throw error;
  }
}
