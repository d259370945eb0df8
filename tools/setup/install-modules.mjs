// npm packages: `npm ci` when node_modules is not what package-lock.json says.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun, runProgram } from './run-program.mjs';
import { SetupFailure } from './step.mjs';

/**
 * Whether node_modules holds what the lock file says. npm leaves a copy of the lock file's entries in
 * node_modules as the last thing it does, so an interrupted installation counts as stale.
 */
export function modulesAreCurrent(root) {
  const installedFile = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith('node_modules/')) return true;
    if (entry.link) return existsSync(join(root, path));
    const there = installed[path];
    return there === undefined ? entry.optional === true : there.version === entry.version;
  });
}

/** npm's codes of the failures that people meet most, and what to do. */
const reasonHints = [
  [/EUSAGE/, 'package-lock.json does not fit package.json: npm install --package-lock-only'],
  [
    /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ECONNRESET|EHOSTUNREACH/,
    'the npm registry can’t be reached: see `npm ping` and the network of this machine',
  ],
  [/ENOSPC/, 'the disk is full'],
];

/** Installs npm packages if need be, Node for the engine among them. Returns what it did. */
export async function installModules(root) {
  let done = 'node_modules is up to date';
  if (!modulesAreCurrent(root)) {
    // npm tells its scripts where it is; run on its own, the set-up takes the one in PATH.
    const npm = process.env.npm_execpath;
    const [program, ...first] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
    const install = [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'];
    const { code, output } = await runProgram(program, install, { cwd: root });
    if (code !== 0) {
      throw new SetupFailure(
        'npm ci failed: the packages of package-lock.json could not be installed',
        reasonHints.find(([pattern]) => pattern.test(output))?.[1],
        // npm goes on with pages of usage.
        output.split('\n').slice(0, 12).join('\n'),
      );
    }
    done = 'npm ci';
  }
  const node = join(root, 'node_modules/node/bin/node');
  const { stdout } = existsSync(node)
    ? await mustRun(node, ['--version'], {}, `${node} does not run on this machine`)
    : await rebuildNode(root, node);
  return `${done}, Node ${stdout.trim().slice(1)} for the engine`;
}

// Where npm was told to run no scripts, the package `node` has not put its binary into place.
async function rebuildNode(root, node) {
  await mustRun(
    process.execPath,
    ['installArchSpecificPackage.js'],
    { cwd: join(root, 'node_modules/node') },
    'the npm package `node` could not install its binary',
    'the npm registry must be reachable: npm ping',
  );
  return runProgram(node, ['--version']);
}
