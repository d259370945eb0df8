import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  expectNoLeaks,
  instanceName,
  leakSnapshot,
  requires,
  tempDir,
  waitFor,
  type LeakSet,
  type TempDir,
} from './index.js';
import { mountTable } from './mount-table.js';

let directory: TempDir;
let instance: { runDir: string; dataDir: string };
let before: LeakSet;

beforeEach(() => {
  directory = tempDir();
  instance = { runDir: join(directory.path, 'run'), dataDir: join(directory.path, 'data') };
  for (const path of Object.values(instance)) mkdirSync(path);
  before = leakSnapshot(instance);
});

afterEach(() => directory.remove());

const leaks = (): Promise<void> => expectNoLeaks(instance, before, { timeoutMs: 200 });

/** Makes a leak, expects it to be found, ends it, expects it to be gone. */
async function expectFound(what: string, end: () => unknown): Promise<void> {
  await waitFor(() =>
    leaks().then(
      () => false,
      () => true,
    ),
  );
  await expect(leaks()).rejects.toThrow(what);
  await end();
  await expect(expectNoLeaks(instance, before)).resolves.toBeUndefined();
}

describe.runIf(requires('root'))('what an engine leaves behind is found', () => {
  it('nothing', async () => {
    await expect(leaks()).resolves.toBeUndefined();
    expect(Object.values(before).flat()).toEqual([]);
  });

  it('a mount', async () => {
    const target = join(instance.dataDir, 'with blank');
    mkdirSync(target);
    spawnSync('mount', ['-t', 'tmpfs', 'none', target]);
    await expectFound(`mounts: tmpfs on ${target}`, () => spawnSync('umount', [target]));
  });

  it('a mount in a mount namespace of somebody else', async () => {
    const script = `mount -t tmpfs none "$1" && echo mounted && exec cat`;
    const child = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', instance.dataDir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await expectFound(`mounts: tmpfs on ${instance.dataDir}`, () => {
      child.stdin.end();
      return once(child, 'exit');
    });
  });

  it('a process, by its environment; and its network namespace', async () => {
    const child = spawn('unshare', ['-n', 'cat'], {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: { PATH: '/usr/bin:/bin', TEU_RUN_DIR: instance.runDir },
    });
    await waitFor(() => leakSnapshot(instance).networks.length === 1);
    await expectFound(`processes: ${child.pid} cat`, () => {
      child.stdin.end();
      return once(child, 'exit');
    });
  });

  it('a socket', async () => {
    const path = join(instance.runDir, 'engine.sock');
    const server = createServer().listen(path);
    await once(server, 'listening');
    await expectFound(`sockets: ${path}`, () => new Promise((done) => server.close(done)));
  });

  it('a cgroup', async () => {
    const hierarchy = mountTable().find(({ type }) => type.startsWith('cgroup'))?.mountPoint ?? '';
    const parent = join(hierarchy, 'teu', instanceName(instance.dataDir));
    const path = join(parent, 'container');
    mkdirSync(path, { recursive: true });
    await expectFound(`cgroups: ${path}`, () => rmdirSync(path));
    rmdirSync(parent);
  });
});
