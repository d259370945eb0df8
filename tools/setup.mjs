// `npm run setup`: everything between a fresh clone and a running engine. Safe to repeat.
// Plain JavaScript for the machine's own Node, without dependencies: there are none yet.
import { fileURLToPath } from 'node:url';
import { buildAll, installLauncher } from './setup/build-all.mjs';
import { makeBusyboxImage } from './setup/busybox-image.mjs';
import { checkMachine } from './setup/check-machine.mjs';
import { installModules } from './setup/install-modules.mjs';
import { installPackages } from './setup/install-packages.mjs';
import { reportFailure, step } from './setup/step.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Sets everything up. Throws SetupFailure with a reason for people. */
export async function setUp() {
  process.stdout.write('set-up\n');
  await step('this machine', checkMachine);
  await step('Debian packages', installPackages);
  await step('npm packages', () => installModules(root));
  await step('build', () => buildAll(root));
  await step('launcher', async () => installLauncher(root));
  await step('first image', () => makeBusyboxImage(root));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await setUp();
  } catch (error) {
    process.exitCode = reportFailure(error);
  }
}
