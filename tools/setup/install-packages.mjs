// Debian packages: installs what is missing, and starts nothing.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { debianPackages } from './debian-packages.mjs';
import { mustRun, runProgram } from './run-program.mjs';

const policyFile = '/usr/sbin/policy-rc.d';
const aptEnvironment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
const aptOptions = ['-q', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];

async function missingPackages() {
  const names = debianPackages.map(({ name }) => name);
  const { stdout } = await runProgram('dpkg-query', [
    '--show',
    '--showformat=${binary:Package} ${db:Status-Status}\n',
    ...names,
  ]);
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(/[ :]/)[0]),
  );
  return names.filter((name) => !installed.has(name));
}

/** Installs the packages that are missing. Returns what it did. */
export async function installPackages() {
  const missing = await missingPackages();
  if (missing.length === 0) return `all ${debianPackages.length} are there`;
  const install = () =>
    runProgram('apt-get', ['install', ...aptOptions, ...missing], { env: aptEnvironment });
  await withoutStartingServices(async () => {
    // The lists may be old or absent; only then is the network needed for more than the packages.
    if ((await install()).code === 0) return;
    await mustRun(
      'apt-get',
      ['update', '-q'],
      { env: aptEnvironment },
      'apt-get update failed: no Debian mirror can be reached',
      'see /etc/apt/sources.list and the network of this machine',
    );
    await mustRun(
      'apt-get',
      ['install', ...aptOptions, ...missing],
      { env: aptEnvironment },
      `apt-get could not install ${missing.join(', ')}`,
    );
  });
  if (missing.includes('nats-server')) await keepNatsOffAtBoot();
  return `installed ${missing.join(', ')}`;
}

// invoke-rc.d(8): exit code 101 of this program forbids the start of services at installation.
async function withoutStartingServices(work) {
  const foreign = existsSync(policyFile);
  if (!foreign) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    if (!foreign) rmSync(policyFile, { force: true });
  }
}

// The engine starts a server of its own, with keys; an open one on the default port helps nobody.
async function keepNatsOffAtBoot() {
  if (!existsSync('/usr/bin/systemctl')) return;
  await runProgram('systemctl', ['disable', 'nats-server.service']);
}
