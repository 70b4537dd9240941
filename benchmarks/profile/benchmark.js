/** Where does it go: which policy, and which function, takes how much of a call's time and memory? */
import { POLICIES } from './policies.js';
import { whereItGoes } from './where-it-goes.js';

export const title = 'What a call is made of';

export const about = `The POST of the overhead benchmark. First each policy by itself: laid over the defaults, and taken out of everything. What it costs is the difference
to the row "as it is". Then what a sampling profiler says of the functions; the time of each is its share of what a call takes while nobody looks.
What the engine does for a function (\`Object.assign\`, a promise) counts as that function's.`;

export const baseline = 'bare axios';

const DEFAULTS = 'the defaults, and one policy more';
const EVERYTHING = 'everything, and one policy less';
const file = 'candidates/holdfast.js';

export const candidates = {
  'bare axios': { file: 'candidates/bare-axios.js' },
  'as it is': { file, package: 'axios-holdfast', value: {} },
  ...Object.fromEntries(
    Object.keys(POLICIES).map((name) => [name, { file, package: 'axios-holdfast', value: { name } }]),
  ),
  'no budget': { file, value: { more: { retry: { budget: false } } }, cases: [DEFAULTS] },
  'no retries': { file, value: { more: { retry: false } }, cases: [DEFAULTS] },
};

export const cases = {
  [DEFAULTS]: { method: 'post', isEverything: false },
  [EVERYTHING]: { method: 'post', isEverything: true },
};

export const metrics = { cpuNs: { label: 'cpu ns/call' }, bytes: { label: 'bytes/call' } };

export const compared = 'cpuNs';

/** About 6 minutes. */
export const full = { launches: 3, warmups: 5, rounds: 12, calls: 4_000, profiles: 3, profiled: 100_000 };

export const quick = { launches: 1, warmups: 3, rounds: 5, calls: 2_000, profiles: 1, profiled: 30_000 };

export const supplement = ({ size }) => whereItGoes(size);
