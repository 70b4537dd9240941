/** All that the server knows about its clients since the last reset. */
import { NamedPauses } from './named-pauses.js';

export class Counts {
  #begunAt;
  #inFlightMs;
  #pauses;
  #totals = { admitted: 0, refused: 0, pauseViolations: 0 };
  #stranger = { admitted: 0, refused: 0 };
  #clients = new Map();
  #seconds = [];

  constructor({ inFlightMs, travelMs }, now) {
    this.#begunAt = now;
    this.#inFlightMs = inFlightMs + 2 * travelMs[1];
    this.#pauses = new NamedPauses(this.#inFlightMs);
  }

  arrived(name, now) {
    const client = this.#client(name);
    if (this.#pauses.isBrokenBy(now)) this.#totals.pauseViolations += 1;
    if (client.pauses.isBrokenBy(now)) client.counts.pauseViolations += 1;
  }

  admitted(name, now) {
    for (const counts of [this.#totals, this.#client(name).counts, this.#second(now)]) counts.admitted += 1;
  }

  /** `until` is the time that the answer names, if any. */
  refused(name, now, until) {
    const client = this.#client(name);
    for (const counts of [this.#totals, client.counts, this.#second(now)]) counts.refused += 1;
    if (until === undefined) return;
    this.#pauses.name(now, until);
    client.pauses.name(now, until);
  }

  stranger(admitted) {
    this.#stranger[admitted ? 'admitted' : 'refused'] += 1;
  }

  /**
   * `pauseViolations`: requests that came before a time that had been named to anybody; a client's own: to that client.
   * `seconds` has one entry for each second since the reset.
   */
  toJSON(now) {
    return {
      atMs: now - this.#begunAt,
      ...this.#totals,
      stranger: this.#stranger,
      clients: Object.fromEntries([...this.#clients].map(([name, { counts }]) => [name, counts])),
      seconds: this.#seconds,
    };
  }

  #client(name) {
    let client = this.#clients.get(name);
    if (client === undefined) {
      const counts = { admitted: 0, refused: 0, pauseViolations: 0 };
      client = { counts, pauses: new NamedPauses(this.#inFlightMs) };
      this.#clients.set(name, client);
    }
    return client;
  }

  #second(now) {
    const second = Math.floor((now - this.#begunAt) / 1_000);
    while (this.#seconds.length <= second) this.#seconds.push({ admitted: 0, refused: 0 });
    return this.#seconds[second];
  }
}
