// <wd-idle data-seconds data-warn>: asks a minute before the session ends; extending it is one act. Tabs share the time.
const channel = "BroadcastChannel" in window ? new BroadcastChannel("wangdian-session") : null;

class Idle extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector("dialog");
    this.ends = 0;
    this.restart();
    this.act = () => this.restart();
    // Acts that reach the server keep the session; reading does not.
    document.addEventListener("submit", this.act, true);
    this.dialog.querySelector("button").addEventListener("click", () => this.extend());
    this.dialog.addEventListener("cancel", (event) => { event.preventDefault(); this.extend(); });
    this.heard = (event) => { if (event.data === "act") this.restart(false); };
    channel?.addEventListener("message", this.heard);
    this.timer = setInterval(() => this.look(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    document.removeEventListener("submit", this.act, true);
    channel?.removeEventListener("message", this.heard);
  }

  restart(tell = true) {
    this.ends = performance.now() + Number(this.dataset.seconds) * 1000;
    if (this.dialog.open) this.dialog.close();
    if (tell) channel?.postMessage("act");
  }

  look() {
    const left = Math.ceil((this.ends - performance.now()) / 1000);
    if (left > Number(this.dataset.warn)) return;
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.querySelector("[data-left]").textContent = String(Math.max(0, left));
    // Over: the page behind is covered, and what was typed on it stays for whoever signs in again.
    this.dialog.classList.toggle("over", left <= 0);
  }

  async extend() {
    const answer = await fetch("/web/session/extend", { method: "POST" }).catch(() => null);
    if (answer?.status === 401) window.open("/sign-in", "_blank");
    else if (answer?.ok) this.restart();
  }
}

customElements.define("wd-idle", Idle);
