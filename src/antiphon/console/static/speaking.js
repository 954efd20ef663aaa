// What a reader of screens is told of a text that streams: sentence by sentence, and not too much at once.

const LEAST = 60;
const MOST = 400;
const END = /[.!?:;。！？]["')\]]*\s|\n/g;

/** Says into an element that is `aria-live`. */
export class Speaker {
  #place;
  #waiting = "";

  constructor(place) {
    this.#place = place;
  }

  /** More text. */
  feed(text) {
    this.#waiting += text;
    if (this.#waiting.length < LEAST) return;
    const ends = [...this.#waiting.matchAll(END)];
    const cut = ends.length ? ends.at(-1).index + ends.at(-1)[0].length : 0;
    if (cut >= LEAST || this.#waiting.length >= MOST) this.#say(cut >= LEAST ? cut : this.#waiting.length);
  }

  /** The rest, and how it ended. */
  end(how) {
    this.#waiting = `${this.#waiting.trimEnd()} ${how}`.trim();
    this.#say(this.#waiting.length);
  }

  #say(cut) {
    this.#place.textContent = this.#waiting.slice(0, cut).slice(-MOST);
    this.#waiting = this.#waiting.slice(cut);
  }
}
