// Breaks lib/ in many ways, a room at a time, and looks whether a spec fails.
//
//   npm run mutation                   the rooms that have changed since they were last run
//   npm run mutation -- send auth      these rooms
//   npm run mutation -- send/key.ts    this file
//   npm run mutation -- --report       only writes reports/mutation.md anew
//
// What came of each mutant is kept in reports/mutation/<room>.json. So a run that was broken off goes on with the room that it was at, and of
// a room that is run again only those mutants are whose code or whose specs have changed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What checks the tables of each `options.ts`. */
const OPTIONS = 'spec/{policy/{defaults,validate,merge,policies},issues/options-of-other-libraries}.spec.ts';
/** Limits that become others while calls wait: several rooms have to do with it. */
const SHAPE = 'spec/issues/limits-that-change-shape.spec.ts';
/** Besides the specs in the room's own folder of spec/: what is told apart only by a whole call. */
const BESIDE = {
  correlation: [OPTIONS],
  idempotency: [OPTIONS],
  breaker: [OPTIONS],
  classify: [OPTIONS],
  poll: [OPTIONS],
  retry: [OPTIONS],
  policy: [OPTIONS],
  auth: [OPTIONS],
  limit: [OPTIONS, SHAPE],
  'limit/local': [SHAPE],
  'limit/queue': ['spec/limit/local/**', 'spec/limit/layers.spec.ts'],
  'limit/windows': ['spec/limit/local/**'],
  '.': [
    OPTIONS,
    'spec/issues/{attaching-again,a-policy-that-changes}.spec.ts',
    'spec/integration/{core,attach-copies}.spec.ts',
    'spec/axios-retry/{policy,registration}.spec.ts',
    'spec/observe/instrumentation.spec.ts',
  ],
};
/** They need a server or another process; or are lists of words, of what other libraries call our options. */
const LEFT_OUT = ['other-names.ts', 'redis.ts', 'bottleneck.ts', 'redis-client/', 'limit/redis/', 'limit/bottleneck/'];
/** What a room may not score less than, in %. */
const LEAST = 90;

const asked = process.argv.slice(2);
const files = sources();
const rooms = [...new Set(files.map(roomOf))];
const filesOf = Object.fromEntries(rooms.map((room) => [room, files.filter((file) => roomOf(file) === room)]));
mkdirSync('reports/mutation', { recursive: true });

const due =
  asked.length === 0
    ? rooms.filter(isStale).map((room) => [room, filesOf[room]])
    : asked.filter((each) => each !== '--report').map(askedFor);
for (const [room, broken] of due) run(room, broken);
report();

/** All files of lib/ that are broken, as paths in it. */
function sources() {
  return readdirSync('lib', { recursive: true })
    .filter(
      (file) =>
        file.endsWith('.ts') &&
        !LEFT_OUT.some((each) => (each.endsWith('/') ? file.startsWith(each) : file.endsWith(each))),
    )
    .sort();
}

/** Each folder of lib/ is a room, and each folder of lib/limit/. */
function roomOf(file) {
  const [room, inner] = file.split('/').slice(0, -1);
  if (room === undefined) return '.';
  return room === 'limit' && inner !== undefined ? `${room}/${inner}` : room;
}

function askedFor(name) {
  if (rooms.includes(name)) return [name, filesOf[name]];
  if (files.includes(name)) return [roomOf(name), [name]];
  throw new Error(`no room and no file of lib/: ${name}. The rooms are ${rooms.join(', ')}`);
}

function specsOf(room) {
  const own =
    room === '.'
      ? 'spec/{attach,check,group,interceptor,room}.spec.ts'
      : `spec/${room}/${room === 'limit' ? '' : '**/'}*.spec.ts`;
  return [own, ...(BESIDE[room] ?? []).map((each) => (each.endsWith('**') ? `${each}/*.spec.ts` : each))];
}

function run(room, broken) {
  console.log(`\n== ${room}`);
  forgetSurvivingConstants(room);
  const options = ['--mutate', broken.map((file) => `lib/${file}`).join(','), '--incrementalFile', resultsOf(room)];
  const env = { ...process.env, MUTATION_SPECS: specsOf(room).join(' ') };
  const { status } = spawnSync('npx', ['stryker', 'run', ...options], { env, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Which specs a constant is read by Stryker can't tell. So it would not try again one that survived, whatever specs there are by now. */
function forgetSurvivingConstants(room) {
  const path = resultsOf(room);
  if (!existsSync(path)) return;
  const known = JSON.parse(readFileSync(path, 'utf8'));
  for (const file of Object.values(known.files)) {
    file.mutants = file.mutants.filter(({ static: isConstant, status }) => !isConstant || status !== 'Survived');
  }
  writeFileSync(path, JSON.stringify(known));
}

function resultsOf(room) {
  return `reports/mutation/${room === '.' ? 'lib' : room.replace('/', '-')}.json`;
}

function results(room) {
  return existsSync(resultsOf(room)) ? JSON.parse(readFileSync(resultsOf(room), 'utf8')).files : {};
}

function isStale(room) {
  const known = results(room);
  return filesOf[room].some((file) => known[`lib/${file}`]?.source !== readFileSync(`lib/${file}`, 'utf8'));
}

/** Writes the scores between the two marks of reports/mutation.md. A room that has no results here, as in a fresh clone, keeps its row. */
function report() {
  const path = 'reports/mutation.md';
  const mark = '<!-- scores -->\n';
  const [before, table, after] = readFileSync(path, 'utf8').split(mark);
  const rows = rooms.flatMap((room) => rowOf(room) ?? rowIn(table, room) ?? []);
  if (rows.some(({ counts }) => score(counts) < LEAST)) process.exitCode = 1;
  const all = rows.map(({ counts }) => counts).reduce((sum, counts) => sum.map((count, n) => count + counts[n]));
  const written = [
    `| room | score | mutants | survived | not reached | timed out | files below ${LEAST} % |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(({ name, counts, low }) => line(name, percent(counts), counts, low)),
    line('all', `**${percent(all)}**`, all, ''),
  ].join('\n');
  writeFileSync(path, `${before}${mark}${written}\n${mark}${after}`);
  console.log(`\n${written}`);
}

function nameOf(room) {
  return room === '.' ? 'attach, instance, interceptor, …' : `${room}/`;
}

/** What was found of a room here. */
function rowOf(room) {
  const known = results(room);
  const files = filesOf[room].filter((file) => known[`lib/${file}`]);
  if (files.length === 0) return undefined;
  const mutantsOf = (file) => known[`lib/${file}`].mutants;
  const low = files
    .map((file) => [file, countsOf(mutantsOf(file))])
    .filter(([, counts]) => score(counts) < LEAST)
    .map(([file, counts]) => `${file.split('/').at(-1)} ${percent(counts)}`);
  return { name: nameOf(room), counts: countsOf(files.flatMap(mutantsOf)), low: low.join(', ') };
}

/** What the report has of it. */
function rowIn(table, room) {
  const row = table.split('\n').find((line) => line.startsWith(`| ${nameOf(room)} |`));
  if (row === undefined) return undefined;
  const [, name, , ...rest] = row.split('|').map((cell) => cell.trim());
  return { name, counts: rest.slice(0, 4).map(Number), low: rest[4] };
}

function line(name, scored, counts, low) {
  return `| ${[name, scored, ...counts, low].join(' | ')} |`;
}

/** How many there are, have survived, were not reached, timed out. */
function countsOf(mutants) {
  const of = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  return [of('Killed', 'Timeout', 'Survived', 'NoCoverage'), of('Survived'), of('NoCoverage'), of('Timeout')];
}

function score([all, survived, notReached]) {
  return all === 0 ? 100 : (100 * (all - survived - notReached)) / all;
}

function percent(counts) {
  return `${score(counts).toFixed(1)} %`;
}
