// Keeps the kiosk's page and its files, so that a machine that is cut off and switched on again still works.
// The build is in this file's own address; a page of another build is never kept beside files it does not belong to.
const BUILD = self.location.pathname.split("/")[2];
const CACHE = `wangdian-kiosk-${BUILD}`;
const PAGE = "/queue/kiosk";
const SLOW = 2000;
const LOST = 8000;
const VARIANTS = ["en&mode=elder", "zh&mode=elder", "en&mode=normal", "zh&mode=normal"].map((each) => `${PAGE}?lang=${each}`);

const ours = async (answer) => answer.ok && !answer.redirected && (await answer.clone().text()).includes(`/static/${BUILD}/`);

async function install() {
  const cache = await caches.open(CACHE);
  const shell = await (await fetch(`${PAGE}/shell`, { cache: "no-store" })).json();
  if (shell.build !== BUILD) throw new Error("another build is served");
  await cache.addAll(shell.files);
  for (const variant of VARIANTS) {
    const answer = await fetch(variant, { cache: "no-store" });
    if (!(await ours(answer))) throw new Error(`cannot keep ${variant}: ${answer.status}`);
    await cache.put(variant, answer);
  }
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith("wangdian-kiosk-") && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
}

const variantOf = (url) => {
  const language = url.searchParams.get("lang") === "en" ? "en" : "zh";
  const mode = url.searchParams.get("mode") === "elder" ? "elder" : "normal";
  return `${PAGE}?lang=${language}&mode=${mode}`;
};

async function page(event) {
  const { request } = event;
  const cache = await caches.open(CACHE);
  const variant = variantOf(new URL(request.url));
  const kept = await cache.match(variant);
  try {
    const answer = await fetch(request, kept ? { signal: AbortSignal.timeout(SLOW) } : {});
    if (answer.status >= 500 && kept) return kept;
    // A slow disk holds up nobody: the page is shown while it is being kept.
    if (await ours(answer)) event.waitUntil(cache.put(variant, answer.clone()).catch(() => {}));
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

async function file(request) {
  // A file that is not kept is asked for on the line, and not for ever: one that never comes would keep the page from starting.
  return (await (await caches.open(CACHE)).match(request)) ?? fetch(request, { signal: AbortSignal.timeout(LOST) });
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => { if (event.data === "take over") self.skipWaiting(); });
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname === PAGE && event.request.mode === "navigate") event.respondWith(page(event));
  else if (url.pathname.startsWith(`/static/${BUILD}/`)) event.respondWith(file(event.request));
});
