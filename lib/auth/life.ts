import type { Cancellation } from '../call/cancellation.ts';
import type { TokenRefreshError } from '../failure/errors.ts';

/** How long credentials are there: until they are closed. Then a refresh under way ends, and nobody waits for `token()` any longer. */
export class Life implements Cancellation {
  /** What everybody is refused with from then on; `undefined` until then. */
  over: TokenRefreshError | undefined;
  readonly #listeners = new Set<() => void>();

  get requested(): boolean {
    return this.over !== undefined;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  end(error: TokenRefreshError): void {
    this.over ??= error;
    for (const end of [...this.#listeners]) end();
  }
}
