// Runs the specs on the newest LTS of Node, whatever runs this: `npm run test:newest-node -- spec/time`.
// Or on another major: `MAJOR=22 npm run test:newest-node -- spec/time`.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { MAJOR = '24' } = process.env;
const name = `node-${process.platform}-${process.arch}`;
const folder = mkdtempSync(join(tmpdir(), 'newest-node-'));
try {
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const install = ['install', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline', `${name}@${MAJOR}`];
  execFileSync('npm', install, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const bin = join(folder, 'node_modules', name, 'bin');
  const [node, root] = [join(bin, 'node'), fileURLToPath(new URL('..', import.meta.url))];
  execFileSync(node, ['-p', '`Node ${process.version}, ${process.release.lts ?? "not (yet) LTS"}`'], {
    stdio: 'inherit',
  });
  // What specs start as `node` is this one, too.
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  process.exitCode =
    spawnSync(node, [vitest, 'run', ...process.argv.slice(2)], { cwd: root, env, stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
