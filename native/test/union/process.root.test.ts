import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { waitUntil } from '../support/wait-until.js';
import { canMountUnions, put, pythonLines, TestUnion, unionProgram } from './union-program.js';

const KIB = 1024;
const LOWER_SCORE = 'echo -900 > /proc/$$/oom_score_adj';
const layers = ['rw=rw', 'top=ro+wh', 'base=ro+wh'] as const;

/** Memory that nobody else uses, in KiB. */
function privateMemory(pid: number): number {
  const text = readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8');
  const found = [...text.matchAll(/Private_\w+: +(\d+) kB/g)];
  return found.reduce((sum, [, size]) => sum + Number(size), 0);
}

/** Of a file whose copy takes longer than what is to happen meanwhile. */
const MEBIBYTES = 1024;
/** Limit of a test that writes such a file twice: a disk may be slow. */
const LARGE = { timeout: 180_000 };
/** Of `blocks` in the answer of stat(2). */
const BLOCK_BYTES = 512;

/** Whether no thread of a process runs any more. */
function isStopped(pid: number): boolean {
  const tasks = `/proc/${String(pid)}/task`;
  return readdirSync(tasks).every((task) =>
    readFileSync(join(tasks, task, 'status'), 'utf8').includes('State:\tT'),
  );
}

describe.runIf(canMountUnions())('the process of a union', () => {
  const program = unionProgram('plain');

  it('is on its own, and holds nothing of who started it', async () => {
    await using union = new TestUnion(program);
    union.mount(...layers);
    const pid = await union.pid();
    const status = readFileSync(`/proc/${String(pid)}/stat`, 'utf8').split(' ');
    // Session and process group.
    expect(status.slice(4, 6)).toEqual([String(pid), String(pid)]);
    const links = readdirSync(`/proc/${String(pid)}/fd`).map((fd) =>
      readlinkSync(`/proc/${String(pid)}/fd/${fd}`),
    );
    const known = links.filter(
      (link) => link === '/dev/null' || link === '/dev/fuse' || link.startsWith(union.path),
    );
    expect(links.filter((link) => !known.includes(link) && !link.startsWith('socket:'))).toEqual(
      [],
    );
    expect(readFileSync(`/proc/${String(pid)}/oom_score_adj`, 'utf8')).toBe(
      // Not everywhere root may lower it.
      execFileSync('sh', ['-c', `${LOWER_SCORE} 2> /dev/null; cat /proc/$$/oom_score_adj`], {
        encoding: 'utf8',
      }),
    );
    expect(statSync(union.at('control')).mode & 0o777).toBe(0o600);
    expect(readFileSync('/proc/self/mounts', 'utf8')).toMatch(
      `teu-union ${union.root} fuse.aufs rw,relatime,user_id=0,group_id=0,default_permissions,allow_other 0 0`,
    );
    for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT', 'SIGPIPE'] as const) {
      process.kill(pid, signal);
    }
    expect(await union.ask('ping')).toBe('ok');
  });

  it('says in one line why it does not mount', async () => {
    await using union = new TestUnion(program);
    const args = ['mount', '--mount-point', union.at('nowhere'), '--control', union.at('c')];
    const failed = union.run(...args, '--branch', `${union.at('base')}=ro`);
    expect(JSON.parse(failed)).toMatchObject({
      code: 'SYSCALL',
      step: 'mount',
      errnoName: 'ENOENT',
    });
    expect(existsSync(union.at('c'))).toBe(false);
    const missing = union.run(...args, '--branch', `${union.at('nowhere')}=ro`);
    expect(JSON.parse(missing)).toMatchObject({ step: 'open the branch', errnoName: 'ENOENT' });
    expect(union.run(...args)).toMatch(/^usage: (.*\n)+.*"code":"USAGE"/);
    expect(union.run(...args, '--fly', '1')).toContain('"message":"wrong: --fly"');
  });

  it('mounts read-only without a branch that can be written to', async () => {
    await using union = new TestUnion(program);
    put(union.at('base/file'), 'x');
    union.mount('top=ro+wh', 'base=ro+wh');
    expect(() => writeFileSync(join(union.root, 'new'), '')).toThrow('EROFS');
    expect(() => appendFileSync(join(union.root, 'file'), '')).toThrow('EROFS');
  });

  it('is small', async () => {
    await using union = new TestUnion(program);
    mkdirSync(union.at('base/many'));
    for (let index = 0; index < 10_000; ++index) {
      writeFileSync(union.at('base/many', `a name of some length ${String(index)}`), '');
    }
    union.mount(...layers);
    const pid = await union.pid();
    readdirSync(union.root);
    expect(privateMemory(pid)).toBeLessThan(2 * KIB);
    for (const name of readdirSync(join(union.root, 'many')))
      statSync(join(union.root, 'many', name));
    expect(await union.stat()).toMatchObject({ nodes: 10_001, open: 0 });
    expect(privateMemory(pid)).toBeLessThan(8 * KIB);
    expect(readdirSync(`/proc/${String(pid)}/fd`).length).toBeLessThan(40);
  });

  it('has the kernel read and write by itself, so that unions share what is cached', async () => {
    await using union = new TestUnion(program);
    await using second = new TestUnion(program);
    put(union.at('base/file'), '');
    truncateSync(union.at('base/file'), 4 << 20);
    union.mount(...layers);
    execFileSync('mount', ['--bind', union.at('base'), second.at('base')]);
    try {
      second.mount('rw=rw', 'base=ro+wh');
      const files = [join(union.root, 'file'), join(second.root, 'file')];
      const open = files.map((file) => openSync(file, 'r'));
      expect([await union.stat(), await second.stat()]).toMatchObject([
        { passthrough: 1, open: 1, passed: 1 },
        { passthrough: 1, open: 1, passed: 1 },
      ]);
      // Pages that one of them has read are there for the other and for the branch itself.
      pythonLines(
        'import os, sys; os.posix_fadvise(os.open(sys.argv[1], 0), 0, 0, 4)',
        union.at('base/file'),
      );
      const cached = (file: string): number =>
        Number(execFileSync('fincore', ['-nb', '-o', 'RES', file], { encoding: 'utf8' }));
      expect(cached(union.at('base/file'))).toBe(0);
      readFileSync(files[0] ?? '');
      expect(cached(union.at('base/file'))).toBe(4 << 20);
      open.forEach(closeSync);
      await second.unmount();
    } finally {
      execFileSync('umount', [second.at('base')]);
    }
  });

  it('reads and writes for the kernel where that cannot: on branches of stacked file systems', async () => {
    await using union = new TestUnion(program);
    await using inner = new TestUnion(program);
    put(inner.at('base/file'), 'inner');
    inner.mount(...layers);
    execFileSync('mount', ['--bind', inner.root, union.at('base')]);
    try {
      union.mount('rw=rw', 'base=ro+wh');
      const file = join(union.root, 'file');
      const open = openSync(file, 'r');
      expect(await union.stat()).toMatchObject({ open: 1, passed: 0 });
      expect(readFileSync(open, 'utf8')).toBe('inner');
      closeSync(open);
      appendFileSync(file, ' and outer');
      expect(readFileSync(file, 'utf8')).toBe('inner and outer');
      expect(statSync(file).size).toBe(15);
      await union.unmount();
    } finally {
      execFileSync('umount', [union.at('base')]);
    }
  });

  it('leaves nothing half when it is killed in the middle of a copy', async () => {
    await using union = new TestUnion(program);
    const size = 256 << 20;
    execFileSync(
      'dd',
      ['if=/dev/zero', `of=${union.at('base/large')}`, 'bs=1M', `count=${String(size >> 20)}`],
      {
        stdio: 'ignore',
      },
    );
    union.mount(...layers);
    const pid = await union.pid();
    const work = union.at('rw/.wh..wh.orph');
    // Where others want the processor too it is the copy that waits, and not who is to see it.
    execFileSync('chrt', ['--all-tasks', '--idle', '--pid', '0', String(pid)]);
    const writer = spawn('sh', ['-c', `echo more >> ${join(union.root, 'large')}`], {
      stdio: 'ignore',
    });
    const ended = once(writer, 'exit');
    const begun = (): boolean => readdirSync(work).length > 0;
    while (!begun() && writer.exitCode === null) await delay(1);
    process.kill(pid, 'SIGSTOP');
    await waitUntil(() => isStopped(pid), 'all threads of the union to stop');
    const [copy = 'none'] = readdirSync(work);
    expect(statSync(join(work, copy)).blocks * BLOCK_BYTES).toBeLessThan(size);
    process.kill(pid, 'SIGKILL');
    await ended;
    expect(existsSync(union.at('rw/large'))).toBe(false);
    expect(begun()).toBe(true);
    spawnSync('umount', [union.root]);
    union.mount(...layers);
    expect(readdirSync(work)).toEqual([]);
    expect(statSync(join(union.root, 'large')).size).toBe(size);
    appendFileSync(join(union.root, 'large'), 'more');
    expect(statSync(union.at('rw/large')).size).toBe(size + 4);
  });

  it('answers others while it copies a large file', LARGE, async () => {
    await using union = new TestUnion(program);
    put(union.at('base/large'), '');
    put(union.at('base/small'), 'x');
    execFileSync(
      'dd',
      ['if=/dev/zero', `of=${union.at('base/large')}`, 'bs=1M', `count=${MEBIBYTES}`],
      {
        stdio: 'ignore',
      },
    );
    union.mount(...layers);
    const writer = spawn('sh', ['-c', `echo more >> ${join(union.root, 'large')}`], {
      stdio: 'ignore',
    });
    const ended = once(writer, 'exit');
    const isCopying = (): boolean => readdirSync(union.at('rw/.wh..wh.orph')).length > 0;
    while (!isCopying() && writer.exitCode === null) await delay(1);
    let [written, refreshed] = [0, 0];
    while (writer.exitCode === null && (written === 0 || refreshed === 0)) {
      appendFileSync(join(union.root, 'small'), 'y');
      if (isCopying()) written += 1;
      expect(await union.ask('refresh')).toBe('ok');
      if (isCopying()) refreshed += 1;
    }
    expect([written, refreshed].every((count) => count > 0)).toBe(true);
    expect(await ended).toEqual([0, null]);
    expect(statSync(join(union.root, 'large')).size).toBe(MEBIBYTES * 2 ** 20 + 5);
  });
});
