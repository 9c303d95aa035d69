// <wd-clock data-now data-zone>: the server's time at a place, whatever the device's clock and zone say.
const offsets = { value: 0 };

/** Take the server's time, given by each live tick. */
export const correct = (iso) => {
  offsets.value = new Date(iso).getTime() - Date.now();
};

/** The server's time now, in milliseconds. */
export const serverNow = () => Date.now() + offsets.value;

class Clock extends HTMLElement {
  connectedCallback() {
    correct(this.dataset.now);
    this.format = new Intl.DateTimeFormat("en-GB", {
      hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: this.dataset.zone,
    });
    this.show();
    this.timer = setInterval(() => this.show(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  show() {
    const time = this.querySelector("time");
    const text = this.format.format(serverNow());
    if (time && time.textContent !== text) time.textContent = text;
  }
}

customElements.define("wd-clock", Clock);
