// Bundles one TypeScript file: node tools/bundle-file.mjs ENTRY OUTPUT
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from './esbuild-options.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [entry, output] = process.argv.slice(2);
await build({ ...bundleOptions, absWorkingDir: root, entryPoints: [entry], outfile: output });
