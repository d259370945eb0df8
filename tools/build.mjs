// Builds everything that changed: generated code, native programs, bundles, bin/teu. nx keeps what it built.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installLauncher } from './setup/build-all.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const result = spawnSync(
  `${root}node_modules/.bin/nx`,
  ['run-many', '-t', 'generate', 'build', '--output-style=stream', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit', env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' } },
);
if (result.status === 0) installLauncher(root);
process.exit(result.status ?? 1);
