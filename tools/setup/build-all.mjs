// Generated code, native programs and bundles: built by nx when a source has changed.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { mustRun } from './run-program.mjs';
import { SetupFailure } from './step.mjs';

const sourceRoots = ['proto', 'libs', 'native', 'services', 'clients', 'tools'];
const sourceFiles = ['package-lock.json', 'tsconfig.base.json', 'nx.json'];
const skippedNames = new Set(['node_modules', 'dist', 'build', 'gen']);

const outputsOf = (root) => [
  'native/build/teu',
  'native/build/teu-init',
  'native/build/teu.node',
  'clients/cli/dist/main.mjs',
  ...readdirSync(join(root, 'services'))
    .filter((name) => existsSync(join(root, 'services', name, 'src/main.ts')))
    .map((name) => `services/${name}/dist/main.mjs`),
];

// Size and time of change of every source: asking nx takes two seconds, this takes ten milliseconds.
function fingerprint(root) {
  const hash = createHash('sha256');
  const visit = (path) => {
    const stat = statSync(join(root, path));
    if (!stat.isDirectory()) {
      hash.update(`${path} ${stat.size} ${stat.mtimeMs}\n`);
      return;
    }
    for (const name of readdirSync(join(root, path)).sort()) {
      if (!skippedNames.has(name)) visit(join(path, name));
    }
  };
  for (const path of [...sourceRoots, ...sourceFiles]) {
    if (existsSync(join(root, path))) visit(path);
  }
  return hash.digest('hex');
}

/** Builds what has changed. Returns what it did. */
export async function buildAll(root) {
  const stamp = join(root, 'dist/build-fingerprint');
  const now = fingerprint(root);
  const missing = () => outputsOf(root).filter((path) => !existsSync(join(root, path)));
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now && missing().length === 0) {
    return 'nothing has changed';
  }
  const environment = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', FORCE_COLOR: '0' };
  delete environment.NODE_EXTRA_CA_CERTS;
  await mustRun(
    join(root, 'node_modules/.bin/node'),
    ['tools/build.mjs'],
    { cwd: root, env: environment },
    'the build failed',
    'to see all of it: npm run build',
  );
  await mustRun(
    join(root, 'clients/python/generate'),
    [],
    { cwd: root },
    'the Python client’s code could not be generated',
  );
  if (missing().length > 0) {
    throw new SetupFailure(`the build did not make ${missing().join(', ')}`, 'npm run build');
  }
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, now);
  return 'generated code, native programs, bundles';
}

/** Puts the launcher into bin/. It may be running, so the new one takes the place of the old one. */
export function installLauncher(root) {
  const from = join(root, 'native/build/teu');
  const to = join(root, 'bin/teu');
  if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) return undefined;
  mkdirSync(join(root, 'bin'), { recursive: true });
  copyFileSync(from, `${to}.new`);
  chmodSync(`${to}.new`, 0o755);
  renameSync(`${to}.new`, to);
  return 'bin/teu';
}
