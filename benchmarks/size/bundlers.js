/** A program, bundled for a browser by each of three bundlers and minified; axios is left out. Each gives the text of one ES module. */
import { readFile, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import nodeResolve from '@rollup/plugin-node-resolve';
import { build, transform } from 'esbuild';
import { rollup } from 'rollup';
import webpack from 'webpack';

export const bundlers = {
  async esbuild(program) {
    const { outputFiles } = await build({
      entryPoints: [program],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      external: ['axios'],
      write: false,
      logLevel: 'error',
    });
    return outputFiles[0].text;
  },

  async rollup(program) {
    const bundle = await rollup({
      input: program,
      external: ['axios'],
      plugins: [nodeResolve({ browser: true }), commonjs()],
      onwarn: () => {},
    });
    const { output } = await bundle.generate({ format: 'esm' });
    await bundle.close();
    const { code } = await transform(output[0].code, { minify: true, format: 'esm', target: 'es2022' });
    return code;
  },

  async webpack(program) {
    const made = `${program}.webpack.mjs`;
    const compiler = webpack({
      entry: program,
      mode: 'production',
      target: ['web', 'es2022'],
      devtool: false,
      experiments: { outputModule: true },
      externalsType: 'module',
      externals: { axios: 'axios' },
      output: { path: dirname(made), filename: basename(made), library: { type: 'module' } },
      performance: false,
    });
    const stats = await new Promise((resolve, reject) => {
      compiler.run((error, done) => (error ? reject(error) : resolve(done)));
    });
    await new Promise((resolve) => {
      compiler.close(resolve);
    });
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
    const text = await readFile(made, 'utf8');
    await rm(made);
    return text;
  },
};
