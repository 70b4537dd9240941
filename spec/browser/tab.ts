/** What runs in a tab: bundled into one script, whose names the specs find under `kit`. */
import axios, { type AxiosInstance } from 'axios';
import { attach, failureOf, type Token } from 'axios-holdfast';
import { webTokenStore } from 'axios-holdfast/web';

/** A token that is kept in this tab only. */
let ours: Token | undefined;
let client: AxiosInstance;

export interface Opened {
  /** Of the session at the server. */
  readonly session: string;
  /** Where the app keeps the token that `token` gives. */
  readonly keptIn: 'tab' | 'localStorage';
}

export const signIn = (token: Token | undefined): void => {
  ours = token;
};

export const signedIn = (): Token | undefined => JSON.parse(localStorage.getItem('token') ?? 'null') ?? undefined;

/** Attaches as an app would; `token` gives what was signed in with. */
export function open({ session, keptIn }: Opened): void {
  client = axios.create({ baseURL: location.origin });
  const isKept = keptIn === 'localStorage';
  attach(client, {
    auth: {
      store: webTokenStore({ key: 'app' }),
      token: () => (isKept ? signedIn() : ours),
      refresh: async ({ http, token }) => (await http.post(`/token/${session}`, { used: token.refreshToken })).data,
      ...(isKept && { save: (token) => localStorage.setItem('token', JSON.stringify(token)) }),
    },
  });
}

/** Calls the API so many times at once; gives what came of each. */
export function call(path: string, times = 1): Promise<readonly string[]> {
  const one = () =>
    client.get(path).then(
      ({ data }) => String(data.with),
      (error: unknown) => {
        const failure = failureOf(error);
        return `${failure?.kind}: ${failure?.summary}`;
      },
    );
  return Promise.all(Array.from({ length: times }, one));
}

/** What this origin has stored, all told. */
export async function stored(): Promise<readonly unknown[]> {
  const places = [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie.split(';').filter(Boolean)];
  return [...places, await indexedDB.databases(), await caches.keys()].flat();
}
