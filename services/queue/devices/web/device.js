// A screen that shows its code looks whether the manager has confirmed it, and goes on by itself.
const EVERY = 3000;

async function look() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
    const text = await answer.text();
    // Led on to what it is for, or the code has run out: either way this page is over.
    if (answer.redirected || (answer.ok && !text.includes('id="code"'))) {
      location.reload();
      return;
    }
  } catch {
    // The line is down: the code waits.
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
