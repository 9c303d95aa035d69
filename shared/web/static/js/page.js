// What every page does: busy buttons, the shortcuts of its buttons, the clock, the warning before a session ends.
import "./clock.js";
import "./idle.js";
import "./keys.js";

// A pressed button is busy until its answer is there; only it, so that everything else still works.
const busy = (button, on) => {
  if (on) button.setAttribute("aria-busy", "true");
  else button.removeAttribute("aria-busy");
};

document.addEventListener("submit", (event) => {
  const button = event.submitter?.closest?.("[data-busy]");
  if (!button) return;
  // Enter held down, a double click: the first press has already been sent.
  if (button.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  busy(button, true);
}, true);

const free = () => document.querySelectorAll("[data-busy][aria-busy]").forEach((button) => busy(button, false));
for (const name of ["htmx:finally:request", "htmx:after:request", "htmx:error", "pageshow"]) {
  window.addEventListener(name, free);
  document.addEventListener(name, free);
}

// An answer that was fine takes away what an earlier one complained about; what a region asks by itself is none.
document.addEventListener("htmx:after:swap", (event) => {
  const notice = document.getElementById("notice");
  const target = event.detail?.ctx?.target;
  const asked = event.detail?.ctx?.sourceElement?.hasAttribute?.("data-live-region");
  if (notice && notice.childElementCount && !asked && target !== notice && event.detail?.ctx?.response?.status < 400) {
    notice.replaceChildren();
  }
});
