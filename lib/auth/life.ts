import type { Cancellation } from '../call/cancellation.ts';
import type { TokenRefreshError } from '../failure/errors.ts';

/** How long credentials are there: until they are closed. Then what is under way ends (a refresh, waiting for `token()`), with an error. */
export class Life implements Cancellation {
  /** Why there is nothing more to be had. */
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
