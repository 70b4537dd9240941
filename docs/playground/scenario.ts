/** What is simulated: all of it can be shared as a link. */
export interface Scenario {
  readonly seed: number;
  /** Calls that are made, and how many workers make them, one after the other each. */
  readonly calls: number;
  readonly workers: number;
  readonly server: ServerOptions;
  /** Whether `policy` is laid over the preset of the server's family. */
  readonly preset: boolean;
  /** The policy of holdfast, as JSON. */
  readonly policy: string;
}

/** What there is a preset and a stand-in for. */
export const FAMILY_NAMES = [
  'anthropic',
  'azureManagement',
  'discord',
  'github',
  'google',
  'hubspot',
  'jira',
  'microsoftGraph',
  'notion',
  'openai',
  'partnerApi',
  'salesforce',
  'shopify',
  'slack',
  'stripe',
  'twilio',
  'zendesk',
] as const;
export type FamilyName = (typeof FAMILY_NAMES)[number];

/** Calls to a family: those that let some hundreds in at once are asked for more, so that one sees what they do then. */
export const callsTo = (family: FamilyName): number =>
  ['anthropic', 'azureManagement', 'openai'].includes(family) ? 600 : 300;

export interface ServerOptions {
  /** The stand-in of a family, which brings its own quotas, headers and errors; '' is a server by the options below. */
  readonly family: FamilyName | '';
  readonly quota: 'none' | 'fixed' | 'sliding' | 'bucket';
  readonly requests: number;
  readonly perMs: number;
  /** What a 429 says of when to come back, and whether each answer tells what is left. */
  readonly headers: 'none' | 'retry-after' | 'ratelimit';
  readonly latencyMs: number;
  /** Answers 503 in this part of the time, in ms from the start; none where they are equal. */
  readonly outageFromMs: number;
  readonly outageToMs: number;
  /** How long an access token lives; 0: none is needed. */
  readonly tokenLifeMs: number;
}

export const START: Scenario = {
  seed: 1,
  calls: 300,
  workers: 20,
  server: {
    family: '',
    quota: 'fixed',
    requests: 50,
    perMs: 1_000,
    headers: 'retry-after',
    latencyMs: 40,
    outageFromMs: 0,
    outageToMs: 0,
    tokenLifeMs: 0,
  },
  preset: false,
  policy: JSON.stringify({ limit: { requests: 50, perMs: 1_000 } }, null, 2),
};

/** Situations to begin with. */
export const SITUATIONS: readonly { readonly name: string; readonly look: string; readonly scenario: Scenario }[] = [
  {
    name: 'A quota that you know',
    look: 'A limit lets a call leave every 20 ms, and nothing is refused. Retrying finds the end of the quota again in every second: a quarter of its requests are for nothing.',
    scenario: START,
  },
  {
    name: 'A quota that nobody tells you',
    look: 'The limit learns the quota from the first refusals, and stays just below it.',
    scenario: { ...START, calls: 600, policy: JSON.stringify({ limit: { adaptive: true } }, null, 2) },
  },
  {
    name: 'A quota that headers tell',
    look: 'Each answer says what is left. So all that is left may leave at once, and the rest waits for the reset.',
    scenario: {
      ...START,
      server: { ...START.server, headers: 'ratelimit', perMs: 2_000, requests: 100 },
      policy: JSON.stringify({ limit: { adaptive: true } }, null, 2),
    },
  },
  {
    name: 'Retries alone, without a limit',
    look: 'Without a limit each call learns for itself that the quota is used up. Turn the limit on, and compare.',
    scenario: { ...START, policy: JSON.stringify({ retry: { maxRetries: 3 } }, null, 2) },
  },
  {
    name: 'An outage of eight seconds',
    look: 'Waits grow, and a budget bounds the retries: fewer requests meet a server that is away, and more calls outlast it.',
    scenario: {
      ...START,
      calls: 400,
      workers: 10,
      server: { ...START.server, quota: 'none', outageFromMs: 500, outageToMs: 8_500 },
      policy: JSON.stringify({ deadlineMs: 30_000 }, null, 2),
    },
  },
  {
    name: 'Tokens that expire',
    look: 'A refresh is made ahead of time, once for everybody, and nobody meets a 401. The others here have no refresh at all.',
    scenario: {
      ...START,
      server: { ...START.server, quota: 'none', tokenLifeMs: 300, latencyMs: 60 },
      policy: JSON.stringify({ deadlineMs: 10_000 }, null, 2),
    },
  },
  {
    name: 'GitHub, and its preset',
    look: 'GitHub refuses by 403, with words that its preset knows: 60 requests each 10 s here, and a write a second. Whoever retries 429s alone sees errors.',
    scenario: { ...START, server: { ...START.server, family: 'github' }, preset: true, policy: '{}' },
  },
];

export const toHash = (scenario: Scenario): string => `#${encodeURIComponent(JSON.stringify(scenario))}`;

/** `undefined` where the hash is none of ours. */
export function fromHash(hash: string): Scenario | undefined {
  try {
    const given = JSON.parse(decodeURIComponent(hash.slice(1)));
    return { ...START, ...given, server: { ...START.server, ...given.server } };
  } catch {
    return undefined;
  }
}

/** A request as the server saw it. */
export interface Send {
  readonly call: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly status: number;
  /** By a quota, whatever the status. */
  readonly isRefused: boolean;
}

/** From when to when something held up all calls. */
export interface Span {
  readonly what: 'paused' | 'refresh';
  readonly fromMs: number;
  readonly toMs: number;
}

export interface CallRecord {
  readonly fromMs: number;
  readonly toMs: number;
  readonly ok: boolean;
  /** One sentence, where it failed. */
  readonly why?: string | undefined;
}

/** What came of one client. */
export interface Result {
  readonly client: string;
  readonly calls: readonly CallRecord[];
  readonly sends: readonly Send[];
  readonly spans: readonly Span[];
  readonly lastedMs: number;
  /** Why it could not be run at all: what the library says of the policy. */
  readonly refused?: string | undefined;
}
