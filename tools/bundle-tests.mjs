// Bundles tests for the lab, each with all that it imports but vitest, at the same path below OUTPUT:
// node tools/bundle-tests.mjs OUTPUT [PATH ...]
// A PATH is a part of the path of *.lab.test.ts files (all without one), or any file with tests.
import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from './esbuild-options.mjs';
import { labTests } from './lab-tests.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [output, ...paths] = process.argv.slice(2);

const isTestFile = (path) => path.endsWith('.test.ts') && existsSync(resolve(root, path));
const named = paths.filter(isTestFile).map((path) => relative(root, resolve(root, path)));
const others = paths.filter((path) => !isTestFile(path));
const found = paths.length === 0 || others.length > 0 ? labTests(root, others) : [];
const tests = [...new Set([...named, ...found])];
if (tests.length === 0) {
  process.stderr.write(`no test for the lab is named by ${paths.join(' ')}\n`);
  process.exit(1);
}

// What stands beside a source is found there, and not beside the bundle.
const placesOfSources = {
  name: 'places-of-sources',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      loader: 'ts',
      contents: (await readFile(path, 'utf8'))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.filename', JSON.stringify(path)),
    }));
  },
};

await build({
  ...bundleOptions,
  minifyWhitespace: false,
  minifySyntax: false,
  absWorkingDir: root,
  entryPoints: tests,
  outdir: output,
  outbase: root,
  outExtension: { '.js': '.mjs' },
  splitting: true,
  external: [...bundleOptions.external, 'vitest', 'esbuild'],
  plugins: [placesOfSources],
});
