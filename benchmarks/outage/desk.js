/** Workers who take the same time for every request, and a line of bounded length in front of them: first come first served. */
export class Desk {
  #workers;
  #serviceMs;
  #most;
  #busy = 0;
  #line = [];

  constructor({ workers, serviceMs, line }) {
    this.#workers = workers;
    this.#serviceMs = serviceMs;
    this.#most = line;
  }

  /** Who stops working finishes what is under way. */
  set workers(count) {
    this.#workers = count;
    this.#serve();
  }

  /** `answer(status)` is called when it has been worked on, or at once where the line is full. */
  ask(answer) {
    if (this.#line.length >= this.#most) {
      answer(503);
      return;
    }
    this.#line.push(answer);
    this.#serve();
  }

  #serve() {
    while (this.#busy < this.#workers && this.#line.length > 0) {
      const answer = this.#line.shift();
      this.#busy += 1;
      setTimeout(() => {
        this.#busy -= 1;
        answer(200);
        this.#serve();
      }, this.#serviceMs);
    }
  }
}
