// `npm run -s conformance -- ADDRESS [OPTIONS]`: puts a storage driver through its contract.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const node = `${root}node_modules/.bin/node`;
const environment = { ...process.env };
// Node 24 loads these certificates at every start of a process.
delete environment.NODE_EXTRA_CA_CERTS;

const run = (...args) =>
  spawnSync(node, args, { cwd: root, stdio: 'inherit', env: environment }).status ?? 1;

const bundle = 'dist/conformance.mjs';
const built = run('tools/bundle-file.mjs', 'libs/snapshot-conformance/src/main.ts', bundle);
process.exit(built === 0 ? run(bundle, ...process.argv.slice(2)) : built);
