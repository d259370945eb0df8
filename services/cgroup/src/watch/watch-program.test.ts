import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires, tempDir, type TempDir } from '@teu/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WatchedDirectories } from '../testing/watched-directories.js';

const MEBIBYTE = 1 << 20;
const QUIET = ['kmsg=off', 'pressure=0,0,0'];

let directory: TempDir;
let program: WatchedDirectories | undefined;
beforeEach(() => {
  directory = tempDir();
});
afterEach(async () => {
  await program?.close();
  program = undefined;
  directory.remove();
});

const start = (name: string, command?: readonly string[]): WatchedDirectories => {
  program = new WatchedDirectories([...QUIET, `${name}=${directory.path}`], command);
  return program;
};
/** Makes a group with these files, or changes them. */
function group(name: string, files: Readonly<Record<string, string>>): void {
  const path = join(directory.path, name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
}

it('version 2: forks that failed in groups below are not those of the group', async () => {
  group('a', { 'pids.events': 'max 0\n', 'pids.events.local': 'max 0\n' });
  const watcher = start('unified');
  await watcher.ask(1, 'watch', 7, 'a');
  group('a', { 'pids.events': 'max 5\n' });
  group('a', { 'pids.events.local': 'max 2\n' });
  const [told] = await watcher.hear('counts 7');
  expect(told).toContain(' pids.max=2 ');
});

it('before Linux 6.11 forks that failed are counted in the one file there is', async () => {
  group('a', { 'pids.events': 'max 0\n' });
  const watcher = start('unified');
  await watcher.ask(1, 'watch', 7, 'a');
  group('a', { 'pids.events': 'max 5\n' });
  expect((await watcher.hear('counts 7'))[0]).toContain(' pids.max=5 ');
});

it('version 1: that memory was at its limit is told once, however often it is asked for', async () => {
  const files = { 'memory.oom_control': 'oom_kill 0\n', 'cgroup.event_control': '' };
  const usage = (bytes: number): string => `${bytes}\n`;
  group('a', {
    ...{ ...files, 'memory.failcnt': '0\n', 'memory.limit_in_bytes': usage(16 * MEBIBYTE) },
    'memory.max_usage_in_bytes': usage(16 * MEBIBYTE),
    'memory.usage_in_bytes': usage(16 * MEBIBYTE),
  });
  const watcher = start('memory');
  await watcher.ask(1, 'watch', 7, 'a');
  expect(watcher.said('counts 7')).toEqual([expect.stringContaining('reached=1')]);
  // Also after a change of the limit: nothing has happened at the new one.
  await watcher.ask(2, 'watch', 7, 'a');
  group('a', { 'memory.limit_in_bytes': usage(8 * MEBIBYTE) });
  await watcher.ask(3, 'watch', 7, 'a');
  expect(watcher.said('counts 7')).toHaveLength(1);
});

it('version 1: forks that failed at a limit further up are looked at from time to time', async () => {
  group('a', { 'pids.max': 'max\n', 'pids.events': 'max 1\n' });
  const watcher = start('pids');
  await watcher.ask(1, 'watch', 7, 'a');
  await watcher.hear('counts 7');
  group('a', { 'pids.events': 'max 3\n' });
  expect((await watcher.hear('counts 7', 2))[1]).toContain(' pids.max=3 ');
});

it('a group that was made again is not taken for the one that is gone', async () => {
  group('a', { 'pids.events': 'max 0\n' });
  const watcher = start('unified');
  await watcher.ask(1, 'watch', 7, 'a');
  // While notifications rest.
  group('a', { 'pids.events': 'max 1\n' });
  await watcher.hear('counts 7');
  renameSync(join(directory.path, 'a'), join(directory.path, 'moved'));
  mkdirSync(join(directory.path, 'a'));
  rmSync(join(directory.path, 'a'), { recursive: true });
  group('a', { 'pids.events': 'max 0\n' });
  await watcher.ask(2, 'unwatch', 7);
  await watcher.ask(3, 'watch', 8, 'a');
  group('a', { 'pids.events': 'max 4\n' });
  expect((await watcher.hear('counts 8'))[0]).toContain(' pids.max=4 ');
  expect(watcher.said('gone 8')).toEqual([]);
});

it('that a group is gone is told also where the one that it was in has been made again', async () => {
  group('t/a', { 'pids.events': 'max 0\n' });
  const watcher = start('unified');
  await watcher.ask(1, 'watch', 7, 't/a');
  // While notifications rest.
  group('t/a', { 'pids.events': 'max 1\n' });
  await watcher.hear('counts 7');
  rmSync(join(directory.path, 't'), { recursive: true });
  // Without files, the end of which tells too on this file system.
  group('t/b', {});
  await watcher.ask(2, 'watch', 8, 't/b');
  expect(await watcher.hear('gone')).toEqual(['0 gone 7']);
  rmSync(join(directory.path, 't/b'), { recursive: true });
  expect(await watcher.hear('gone', 2)).toEqual(['0 gone 7', '0 gone 8']);
});

it('a group that cannot be looked at for want of descriptors is not taken for gone', async () => {
  group('a', { 'pids.events': 'max 0\n' });
  const watcher = start('unified');
  await watcher.ask(1, 'watch', 7, 'a');
  const setDescriptors = (limit: string): void =>
    void execFileSync('prlimit', ['--pid', String(watcher.pid), `--nofile=${limit}:`]);
  setDescriptors('1');
  group('a', { 'pids.events': 'max 1\n' });
  // It looks at it also when it is asked to let go of it, and says so if it is gone.
  await watcher.ask(2, 'unwatch', 7);
  expect(watcher.said('gone')).toEqual([]);
});

it.runIf(requires('root'))(
  'a group that the kernel cannot be asked to tell of is looked at from time to time',
  async () => {
    group('a', { 'pids.events': 'max 0\n' });
    const limited = 'echo 0 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"';
    const watcher = start('unified', ['unshare', '-Ur', 'sh', '-c', limited]);
    await watcher.ask(1, 'watch', 7, 'a');
    await watcher.hear('unheard');
    group('a', { 'pids.events': 'max 4\n' });
    expect((await watcher.hear('counts 7'))[0]).toContain(' pids.max=4 ');
    rmSync(join(directory.path, 'a'), { recursive: true });
    expect(await watcher.hear('gone')).toEqual(['0 gone 7']);
  },
);

it.runIf(requires('root', 'cgroup_v1'))(
  'version 1: limits that change faster than the kernel is asked hold no descriptors',
  async () => {
    const root = '/sys/fs/cgroup/memory';
    const name = `teu/asked-${process.pid}`;
    mkdirSync(join(root, name), { recursive: true });
    try {
      writeFileSync(join(root, name, 'memory.limit_in_bytes'), '16M');
      program = new WatchedDirectories([...QUIET, `memory=${root}`]);
      const watcher = program;
      const descriptors = (): number => readdirSync(`/proc/${watcher.pid}/fd`).length;
      await watcher.ask(1, 'watch', 7, name);
      const before = descriptors();
      const asked = Array.from({ length: 200 }, (_, n) => watcher.ask(n + 2, 'watch', 7, name));
      await Promise.all(asked);
      expect(descriptors()).toBeLessThan(before + 10);
      await watcher.ask(1000, 'unwatch', 7);
    } finally {
      rmdirSync(join(root, name));
    }
  },
);
