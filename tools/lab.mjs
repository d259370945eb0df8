// `npm run lab -- COMMAND`, `npm run lab -- --test PATH`: in a virtual machine with Debian's kernel; see test/lab.
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const node = `${root}node_modules/.bin/node`;
const environment = { ...process.env };
// Node 24 loads these certificates at every start of a process.
delete environment.NODE_EXTRA_CA_CERTS;

const bundle = 'dist/lab/lab.mjs';
const built = spawnSync(node, ['tools/bundle-file.mjs', 'test/lab/main.ts', bundle], {
  cwd: root,
  stdio: 'inherit',
  env: environment,
});
if (built.status !== 0) process.exit(125);

// npm starts this in the directory of package.json; the command is to run where its caller is.
const lab = spawn(node, [`${root}${bundle}`, ...process.argv.slice(2)], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
  stdio: 'inherit',
  env: environment,
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => lab.kill(signal));
lab.on('exit', (code, signal) => {
  process.exit(code ?? 128 + constants.signals[signal]);
});
