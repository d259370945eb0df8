// Bundles one service or client into <project>/dist/main.mjs: a bundle starts in 33 ms where a tree
// of .ts files takes 180 ms. Usage: node tools/bundle.mjs services/engine
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from './esbuild-options.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const projects = process.argv.slice(2);
if (projects.length === 0) {
  process.stderr.write('usage: node tools/bundle.mjs PROJECT_DIRECTORY ...\n');
  process.exit(2);
}

for (const project of projects) {
  const directory = join(root, project);
  mkdirSync(join(directory, 'dist'), { recursive: true });
  await build({
    ...bundleOptions,
    absWorkingDir: root,
    entryPoints: [join(project, 'src/main.ts')],
    outfile: join(project, 'dist/main.mjs'),
  });
  const descriptors = join(root, 'libs/proto/src/gen/descriptors.binpb');
  if (existsSync(descriptors)) copyFileSync(descriptors, join(directory, 'dist/descriptors.binpb'));
}
