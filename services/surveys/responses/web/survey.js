// <wd-survey data-token data-steps>: keeps what was chosen on this phone until it is sent, and in large type shows one
// question at a time. Without scripts the form is whole and works the same.
const DRAFT = "wd-survey:";
const KEPT_FOR = 30 * 24 * 3600 * 1000;

class Survey extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.key = DRAFT + this.dataset.token;
    this.restore();
    this.form.addEventListener("change", () => this.keep());
    if (this.dataset.steps === "one") this.step();
  }

  keep() {
    const answers = [...new FormData(this.form)].filter(([name]) => name.startsWith("a-"));
    localStorage.setItem(this.key, JSON.stringify({ at: Date.now(), answers }));
  }

  restore() {
    const found = JSON.parse(localStorage.getItem(this.key) ?? "null");
    if (!found || Date.now() - found.at > KEPT_FOR) return;
    for (const [name, value] of found.answers) {
      const radios = [...this.form.querySelectorAll("input[type=radio]")].filter((radio) => radio.name === name);
      if (!radios.some((radio) => radio.checked)) radios.filter((radio) => radio.value === value).forEach((radio) => { radio.checked = true; });
    }
  }

  step() {
    this.questions = [...this.form.querySelectorAll("[data-question]")];
    this.steps = this.form.querySelector("[data-steps]");
    [this.next, this.back] = this.steps.querySelectorAll("button");
    const open = this.questions.findIndex((question) => question.classList.contains("wrong"));
    this.at = Math.max(0, open);
    this.next.addEventListener("click", () => this.go(1));
    this.back.addEventListener("click", () => this.go(-1));
    this.show();
  }

  go(by) {
    const radio = this.questions[this.at].querySelector("input:required");
    if (by > 0 && radio && !radio.reportValidity()) return;
    this.at += by;
    this.show();
    this.questions[this.at].querySelector("input:checked, input").focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  }

  show() {
    const last = this.at === this.questions.length - 1;
    this.questions.forEach((question, index) => { question.hidden = index !== this.at; });
    this.steps.hidden = false;
    this.next.hidden = last;
    this.back.hidden = this.at === 0;
    this.form.querySelector("[data-send]").hidden = !last;
    // Sending stands above going back, where the thumb expects it.
    if (last) this.steps.before(this.form.querySelector("[data-send]"));
  }
}

customElements.define("wd-survey", Survey);

// What was sent is no draft any more.
if (document.querySelector("[data-survey-done]")) {
  localStorage.removeItem(DRAFT + location.pathname.split("/").pop());
}
