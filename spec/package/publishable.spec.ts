import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/publishable.mjs', import.meta.url));

describe('what npm publish asks first', () => {
  const repository = 'github:contoso/axios-holdfast';
  it.each([
    ['there is a repository, and the version has its date', { repository }, '## [0.2.0] - 2027-01-31\n', '', 0],
    ['no repository is named', {}, '## [0.2.0] - 2027-01-31\n', 'package.json names no repository', 1],
    ['the version has no date', { repository }, '## [0.2.0] - Unreleased\n', 'no line "## [0.2.0] - YYYY-MM-DD"', 1],
    ['only an older version has one', { repository }, '## [0.1.0] - 2026-12-31\n', 'no line "## [0.2.0]', 1],
  ])('%s', (_, more, changelog, said, code) => {
    const cwd = mkdtempSync(join(tmpdir(), 'publishable-'));
    onTestFinished(() => rmSync(cwd, { recursive: true }));
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ version: '0.2.0', ...more }));
    writeFileSync(join(cwd, 'CHANGELOG.md'), `# Changelog\n\n${changelog}`);
    const { status, stderr } = spawnSync(process.execPath, [script], { cwd, encoding: 'utf8' });
    expect(status).toBe(code);
    if (said === '') expect(stderr).toBe('');
    else expect(stderr).toContain(said);
  });
});
