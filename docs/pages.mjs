// Lays the pages of the repository in .site/, where they lie to each other as in the repository, so that the links in them hold there,
// in the package, and on the site.
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = fileURLToPath(new URL('.site/', import.meta.url));
const guides = readdirSync(`${root}docs`).filter((name) => /\.(md|svg)$/.test(name));
const pages = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'benchmarks/RESULTS.md'];

rmSync(site, { recursive: true, force: true });
for (const page of [...pages, ...guides.map((name) => `docs/${name}`)]) cpSync(root + page, site + page);
