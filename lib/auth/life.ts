import type { TokenRefreshError } from '../failure/errors.ts';

/** How long credentials are there: until they are closed. Then what is under way ends (a refresh, waiting for `token()`), with an error. */
export class Life {
  /** Why there is nothing more to be had. */
  over: TokenRefreshError | undefined;
  readonly #underWay = new Set<(error: TokenRefreshError) => void>();

  enter(end: (error: TokenRefreshError) => void): void {
    this.#underWay.add(end);
  }

  leave(end: (error: TokenRefreshError) => void): void {
    this.#underWay.delete(end);
  }

  end(error: TokenRefreshError): void {
    this.over ??= error;
    for (const end of [...this.#underWay]) end(this.over);
  }
}
