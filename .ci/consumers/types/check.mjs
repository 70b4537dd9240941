// Compiles one program that uses every entry, with `skipLibCheck: false`: by each compiler × each way to resolve modules × ESM and CommonJS.
// A few of these by default, all of them with `all`. What a compiler refuses for an empty program too is said, and passed over.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const COMPILERS = ['5.4', '5.9', '6', '7'];
/** How modules are resolved, the kind of the file (`ts` is what `module` says), and `module`. */
const WAYS = [
  ['node10', 'ESM', 'ts', 'esnext'],
  ['node10', 'CommonJS', 'ts', 'commonjs'],
  ['node16', 'ESM', 'mts', 'node16'],
  ['node16', 'CommonJS', 'cts', 'node16'],
  ['nodenext', 'ESM', 'mts', 'nodenext'],
  ['nodenext', 'CommonJS', 'cts', 'nodenext'],
  ['bundler', 'ESM', 'ts', 'esnext'],
  ['bundler', 'CommonJS', 'ts', 'commonjs'],
];
/** Each compiler, each way and each kind is in one of them. */
const QUICK = ['5.4 node10 CommonJS', '5.9 node16 CommonJS', '6 nodenext CommonJS', '6 bundler ESM', '7 nodenext ESM'];

const isWhole = process.argv[2] === 'all';
const results = { passed: 0, failed: 0, refused: 0 };
for (const compiler of COMPILERS) {
  for (const [moduleResolution, kind, end, module] of WAYS) {
    const name = `${compiler} ${moduleResolution} ${kind}`;
    if (!isWhole && !QUICK.includes(name)) continue;
    const compile = (file) => {
      const folder = `matrix/${name.replaceAll(' ', '-')}`;
      mkdirSync(folder, { recursive: true });
      const compilerOptions = {
        target: 'es2022',
        lib: ['es2022', 'dom'],
        types: [],
        module,
        moduleResolution,
        ...(compiler === '6' && { ignoreDeprecations: '6.0' }),
        esModuleInterop: true,
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
      };
      writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, files: [`${file}.${end}`] }));
      if (file === 'use') copyFileSync('use.ts', `${folder}/use.${end}`);
      else writeFileSync(`${folder}/${file}.${end}`, 'export {};\n');
      const { bin } = JSON.parse(readFileSync(`node_modules/typescript-${compiler}/package.json`, 'utf8'));
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [`node_modules/typescript-${compiler}/${bin.tsc}`, '-p', folder],
        { encoding: 'utf8' },
      );
      return { isGood: status === 0, said: stdout + stderr };
    };
    const { isGood, said } = compile('use');
    const result = isGood ? 'passed' : compile('empty').isGood ? 'failed' : 'refused';
    results[result] += 1;
    console.log(
      `${result.padEnd(8)} ${name}${result === 'failed' ? `\n${said}` : ''}${result === 'refused' ? `: ${said.split('\n')[0]}` : ''}`,
    );
  }
}
console.log(`${results.passed} passed, ${results.failed} failed, ${results.refused} refused by the compiler`);
if (results.failed > 0 || results.passed === 0) process.exitCode = 1;
