// Packs the package once, installs it in each of the projects beside this file (or in those that are named), and runs their
// tests. Prints which passed; what those that failed had to say comes after. With --all, those that have more than CI runs, as the
// whole matrix of compilers in types, run all of it: `node .ci/consumers/run.mjs --all types`.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const kinds = readdirSync(here, { withFileTypes: true }).flatMap((each) => (each.isDirectory() ? each.name : []));
const asked = process.argv.slice(2).filter((argument) => argument !== '--all');
const isAll = process.argv.includes('--all');
const folder = mkdtempSync(join(tmpdir(), 'holdfast-consumers-'));
/** What a newcomer's shell has: nothing of npm's, since this may itself be run by npm, and nothing of CI's. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

/** @returns what it printed; an error holds that too */
const run = (cwd, command, ...args) =>
  new Promise((resolve, reject) => {
    execFile(command, args, { cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`)) : resolve(stdout),
    );
  });

async function passes(kind, tarball) {
  const began = Date.now();
  const project = join(folder, kind);
  const took = () => `${Math.round((Date.now() - began) / 1_000)} s`;
  try {
    cpSync(join(here, kind), project, { recursive: true });
    cpSync(tarball, join(project, 'axios-holdfast.tgz'));
    await run(project, 'npm', 'install', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline');
    const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    const printed = await run(project, 'npm', 'run', '--silent', isAll && 'all' in scripts ? 'all' : 'test');
    console.log(`passed  ${kind} (${took()})${isAll ? `\n${printed.replace(/^/gm, '        ')}` : ''}`);
    return true;
  } catch (error) {
    console.log(`FAILED  ${kind} (${took()})\n${error.message.replace(/^/gm, '        ')}`);
    return false;
  }
}

try {
  const unknown = asked.filter((kind) => !kinds.includes(kind));
  if (unknown.length > 0) throw new Error(`no such project: ${unknown.join(', ')}; there are ${kinds.join(', ')}`);
  const printed = await run(join(here, '../..'), 'npm', 'pack', '--silent', '--pack-destination', folder);
  const tarball = join(folder, printed.trim().split('\n').at(-1));
  const waiting = asked.length > 0 ? asked : kinds;
  const results = [];
  const worker = async () => {
    for (let kind = waiting.shift(); kind !== undefined; kind = waiting.shift()) {
      results.push(await passes(kind, tarball));
    }
  };
  await Promise.all([worker(), worker()]);
  const passed = results.filter(Boolean).length;
  console.log(`${passed} consumers passed, ${results.length - passed} failed`);
  if (passed < results.length) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
