// The oldest Node that is promised, the last that could not require ESM of each line, and the one that runs this.
const { execFileSync } = require('node:child_process');

const platform = `node-${process.platform}-${process.arch}`;
const versions = ['20.0.0', '20.18.3', '22.11.0'];
const packages = versions.map((version) => `node-${version}@npm:${platform}@${version}`);
execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefer-offline', ...packages]);

const nodes = versions.map((version) => `node_modules/node-${version}/bin/node`);
for (const node of [...nodes, process.execPath]) {
  console.log(`${execFileSync(node, ['--version'])}`.trim());
  execFileSync(node, ['--test', 'test.cjs', 'test.mjs'], { stdio: 'inherit' });
}
