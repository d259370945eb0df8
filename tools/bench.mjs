// `npm run bench AREA [-- OPTIONS]`: measures TEU beside every peer there is, in one run.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [area, ...options] = process.argv.slice(2);
const areas = ['start', 'storage', 'union', 'image', 'cgroup'];
if (!areas.includes(area ?? '')) {
  process.stderr.write(`usage: npm run bench AREA [-- OPTIONS]; areas: ${areas.join(', ')}\n`);
  process.exit(2);
}

const run = (program, args) =>
  spawnSync(program, args, { cwd: root, stdio: 'inherit', env: environment }).status;
const environment = { ...process.env };
delete environment.NODE_EXTRA_CA_CERTS;

if (run(process.execPath, ['tools/setup.mjs']) !== 0) process.exit(1);
const bundle = 'dist/bench';
const built = spawnSync(
  `${root}node_modules/.bin/node`,
  ['tools/bundle-file.mjs', `test/bench/${area}/main.ts`, `${bundle}/${area}.mjs`],
  { cwd: root, stdio: 'inherit', env: environment },
);
if (built.status !== 0) process.exit(1);
process.exit(run(`${root}node_modules/.bin/node`, [`${bundle}/${area}.mjs`, ...options]) ?? 1);
