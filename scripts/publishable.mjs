// Whether npm would show what is published as it is meant. `npm publish` runs it first.
import { readFileSync } from 'node:fs';

const { version, repository } = JSON.parse(readFileSync('package.json', 'utf8'));
const changelog = readFileSync('CHANGELOG.md', 'utf8');
const heading = changelog.split('\n').find((line) => line.startsWith(`## [${version}]`));

const problems = [
  repository === undefined &&
    'package.json names no repository: npm could not resolve the links and pictures of the README',
  !/ - \d{4}-\d\d-\d\d$/.test(heading ?? '') && `CHANGELOG.md has no line "## [${version}] - YYYY-MM-DD"`,
].filter(Boolean);

for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
