/** What does it weigh in a browser? */

/** A call that never leaves the process: an adapter answers it. */
const CALL = `const adapter = async (config) => ({ status: 200, statusText: 'OK', headers: {}, data: '{}', config, request: {} });`;

const ofAxios = (imports, equip) => `import axios from 'axios';
${imports}
${CALL}
export const call = () => {
  const client = axios.create({ baseURL: 'https://api.example.com', adapter });
  ${equip}
  return client.get('/').then(({ status }) => status);
};`;

const library = (entry, imports, policy) =>
  ofAxios(`import { ${imports} } from '../../../../dist/${entry}.js';`, `attach(client, { ${policy} });`);

const limit = 'limit: localLimiter({ requests: 50, perMs: 1_000 })';
const auth = "auth: credentials({ token: () => 't', refresh: async () => 't' })";
const breaker = 'breaker: circuitBreaker()';
const core = (imports, policy) => library('core', `attach${imports}`, policy);
/** All that an entry exports, beside a call through `attach` of another. */
const whole = (entry, attach = entry) => `${library(attach, 'attach', '')}
import * as entry from '../../../../dist/${entry}.js';
export const names = Object.keys(entry);`;

const file = 'candidates/bundle.js';

export const title = 'Weight';

export const about = `Kilobytes (of 1,000 bytes), minified and compressed by gzip at its highest level, of a program that makes one call: with axios
left out of the bundle, which is there anyway (ky and cockatiel need none). Each bundle is run, and has to answer. The bundle of rollup is minified by esbuild, that of webpack by its own
terser. "core" is \`attach\` of \`axios-holdfast/core\` with its defaults; "everything" is all that the main entry exports. A further entry counts what it adds to core.`;

export const candidates = {
  core: { file, value: { program: core('', '') }, package: 'axios-holdfast' },
  'core + limit': { file, value: { program: core(', localLimiter', limit) } },
  'core + auth': { file, value: { program: core(', credentials', auth) } },
  'core + breaker': { file, value: { program: core(', circuitBreaker', breaker) } },
  'core + all three': {
    file,
    value: { program: core(', localLimiter, credentials, circuitBreaker', `${limit}, ${auth}, ${breaker}`) },
  },
  'attach of the main entry': { file, value: { program: library('index', 'attach', '') } },
  everything: { file, value: { program: whole('index') } },
  ...Object.fromEntries(
    ['redis', 'web', 'presets', 'testing', 'axios-retry'].map((entry) => [
      `+ ${entry}`,
      { file, value: { program: whole(entry, 'core'), over: core('', '') } },
    ]),
  ),
  'axios-retry': {
    file,
    value: { program: ofAxios("import axiosRetry from 'axios-retry';", 'axiosRetry(client, { retries: 3 });') },
    package: 'axios-retry',
  },
  'p-retry': {
    file,
    value: { program: "import pRetry from 'p-retry';\nexport const call = () => pRetry(async () => 200);" },
    package: 'p-retry',
  },
  ky: {
    file,
    value: {
      program: `import ky from 'ky';
export const call = () => ky('https://api.example.com', { fetch: async () => new Response('{}') }).then(({ status }) => status);`,
    },
    package: 'ky',
  },
  cockatiel: {
    file,
    value: {
      program: `import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
const policy = retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() });
export const call = () => policy.execute(async () => 200);`,
    },
    package: 'cockatiel',
  },
};

const kB = { digits: 1 };
export const metrics = {
  esbuild: { label: 'esbuild', ...kB },
  rollup: { label: 'rollup', ...kB },
  webpack: { label: 'webpack', ...kB },
  minified: { label: 'esbuild, not compressed', ...kB },
};

export const compared = 'esbuild';

const size = { launches: 1, warmups: 0, rounds: 1, timeoutMs: 240_000 };

/** About 2 minutes on an idle machine: each candidate is bundled three times, once. */
export const full = size;

export const quick = size;
