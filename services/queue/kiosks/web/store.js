// What the kiosk keeps: numbers on loan, and what happened and was not reported yet. Written with strict durability: a
// number is shown and printed only after the transaction that holds it is complete.
const NAME = "wangdian-kiosk";

const opened = new Promise((resolve, reject) => {
  const request = indexedDB.open(NAME, 2);
  request.onupgradeneeded = ({ oldVersion }) => {
    const db = request.result;
    if (oldVersion < 1) {
      db.createObjectStore("leases", { keyPath: "id" });
      db.createObjectStore("outbox", { keyPath: "seq", autoIncrement: true });
      db.createObjectStore("refused", { keyPath: "id" });
      db.createObjectStore("facts");
    }
    if (oldVersion < 2) db.createObjectStore("ratings", { keyPath: "seq", autoIncrement: true });
  };
  request.onsuccess = () => {
    // A page of a newer build that changes the stores does not wait for this one.
    request.result.onversionchange = () => request.result.close();
    resolve(request.result);
  };
  request.onerror = () => reject(request.error);
});

const result = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** One transaction: `work` gets the stores; what it returns comes out once everything is on the disk. */
async function transact(stores, mode, work) {
  const db = await opened;
  const transaction = db.transaction(stores, mode, mode === "readwrite" ? { durability: "strict" } : undefined);
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
    transaction.onerror = () => reject(transaction.error);
  });
  let value;
  try {
    value = await work(...stores.map((name) => transaction.objectStore(name)));
  } catch (error) {
    try { transaction.abort(); } catch { /* it has ended already */ }
    await done.catch(() => {});
    throw error;
  }
  await done;
  return value;
}

const usable = (lease, now) => lease.next < lease.numbers.length && Date.parse(lease.expires_at) > now;

/** Keep a lease. */
export const keepLease = (lease) => transact(["leases"], "readwrite", (leases) => result(leases.put({ ...lease, next: 0 })));

/** Numbers left by service, at the server's time `now`; leases that are used up or over are forgotten. */
export const left = (now) => transact(["leases"], "readwrite", async (leases) => {
  const counts = new Map();
  for (const lease of await result(leases.getAll())) {
    if (usable(lease, now)) counts.set(lease.service, (counts.get(lease.service) ?? 0) + lease.numbers.length - lease.next);
    else leases.delete(lease.id);
  }
  return counts;
});

const stamp = (offset) => ({
  id: crypto.randomUUID(), device_time: new Date().toISOString(), offset_ms: Math.round(offset),
});

/** Take the next number of `service` and note it for the server: both or neither. null when there is none to give. */
export const issue = (service, offset, told) => transact(["leases", "outbox"], "readwrite", async (leases, outbox) => {
  const now = Date.now() + offset;
  const mine = (await result(leases.getAll())).filter((lease) => lease.service === service && usable(lease, now));
  if (!mine.length) return null;
  mine.sort((one, other) => one.numbers[one.next].number.localeCompare(other.numbers[other.next].number, "en", { numeric: true }));
  const [lease] = mine;
  const taken = lease.numbers[lease.next];
  lease.next += 1;
  leases.put(lease);
  outbox.add({ ...stamp(offset), kind: "issue", lease: lease.id, signature: lease.signature, number: taken.number, told });
  return { ...taken, at: now };
});

/** Note a call for help. */
export const help = (offset) => transact(["outbox"], "readwrite", (outbox) => result(outbox.add({ ...stamp(offset), kind: "help" })));

/** The oldest `most` acts that were not reported. */
export const oldest = (most) => transact(["outbox"], "readonly", (outbox) => result(outbox.getAll(null, most)));

/** How many were not reported, and how many the server refused. */
export const counts = () => transact(["outbox", "refused"], "readonly", async (outbox, refused) => ({
  outbox: await result(outbox.count()), refused: await result(refused.count()),
}));

/** Forget what was answered; what was refused is kept for the staff. */
export const settle = (acts, results) => transact(["outbox", "refused"], "readwrite", (outbox, refused) => {
  const answered = new Map(results.map((each) => [each.id, each]));
  for (const act of acts) {
    const answer = answered.get(act.id);
    if (!answer) continue;
    if (answer.result === "rejected") refused.put({ ...act, reason: answer.reason });
    outbox.delete(act.seq);
  }
});

/** Keep a rating until it has arrived: the answers by item, under the link of the survey. */
export const keepRating = (link, answers) => transact(["ratings"], "readwrite", (ratings) => result(ratings.add({ id: crypto.randomUUID(), link, answers })));
export const ratings = () => transact(["ratings"], "readonly", (kept) => result(kept.getAll()));
export const dropRating = (seq) => transact(["ratings"], "readwrite", (kept) => result(kept.delete(seq)));

/** A fact that outlives the page: the clock's offset, the last waits. */
export const remember = (name, value) => transact(["facts"], "readwrite", (facts) => result(facts.put(value, name)));
export const recall = (name) => transact(["facts"], "readonly", (facts) => result(facts.get(name)));
