// Shortcuts are written on the buttons they press (aria-keyshortcuts="Alt+N"): what is not shown cannot be pressed.
// Off while somebody types, and for whoever turned them off (localStorage wd-keys = "off").
const named = (event) => [event.altKey && "Alt", event.ctrlKey && "Control", event.shiftKey && "Shift",
  event.key.length === 1 ? event.code.replace(/^Key|^Digit/, "") : event.key].filter(Boolean).join("+");

/** Whether the shortcuts are on for this browser. */
export const on = () => localStorage.getItem("wd-keys") !== "off";

document.addEventListener("keydown", (event) => {
  if (!on() || event.repeat || event.isComposing || document.querySelector("dialog[open]")) return;
  const typing = event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  if (typing) return;
  // "?" has another key on each keyboard; what it writes is the same.
  const wanted = event.key === "?" ? "?" : named(event);
  for (const button of document.querySelectorAll("[aria-keyshortcuts]")) {
    if (button.getAttribute("aria-keyshortcuts").split(" ").includes(wanted) && !button.disabled && button.checkVisibility()) {
      event.preventDefault();
      button.click();
      return;
    }
  }
});
