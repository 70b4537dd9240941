import type { AuthOptions, RefreshContext } from 'axios-holdfast';
import { type Answer, json } from './loopback.ts';

/** A resource that wants one of the `valid` tokens, and an `auth` policy of a session that holds one which has expired. */
export class Guarded {
  /** What `token()` gives; a refresh does not change it, as where the stand-in is relied on. */
  token: string | undefined = 'old';
  readonly valid = new Set<string>();
  readonly refreshes: RefreshContext[] = [];
  /** What a 401 says. */
  challenge = 'Bearer error="invalid_token"';
  body: unknown = {};
  status = 401;

  readonly answer: Answer = ({ headers }, response) => {
    const token = headers.authorization?.replace('Bearer ', '') ?? '';
    if (this.valid.has(token)) json(response, 200, { token });
    else json(response, this.status, this.body, { 'www-authenticate': this.challenge });
  };

  readonly auth: AuthOptions = {
    token: () => this.token,
    refresh: async (context) => this.grant(context),
    retry: { retries: 2, minTimeout: 0 },
  };

  /** A new token that the resource will take. */
  grant(context: RefreshContext): string {
    const token = `new-${this.refreshes.push(context)}`;
    this.valid.add(token);
    return token;
  }
}

/** A promise, and the hand that settles it. */
export function gate<T = void>() {
  let open: (value: T) => void = () => {};
  let shut: (error: unknown) => void = () => {};
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    shut = reject;
  });
  return { promise, open, shut };
}
