import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { nativeBinary } from '@teu/config';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launch, type LaunchPlan } from '../ts/index.js';
import { makeScratch, type Scratch } from './support/busybox-rootfs.js';
import { containerPlan, processPlan } from './support/plans.js';
import { runToEnd } from './support/run.js';

describe('a hostile root file system', () => {
  let scratch: Scratch;
  let outside: string;
  beforeEach(() => {
    scratch = makeScratch();
    outside = join(scratch.directory, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'ptmx'), 'canary');
  });
  afterEach(() => scratch.dispose());

  const plan = (...argv: string[]): LaunchPlan => containerPlan(scratch, processPlan(argv));

  function replaceByLink(path: string, target: string): void {
    rmdirSync(join(scratch.root, path));
    symlinkSync(target, join(scratch.root, path));
  }

  function boundFile(target: string): LaunchPlan['mounts'][number] {
    const source = join(scratch.directory, 'file');
    writeFileSync(source, 'of the engine\n');
    return { type: 'bind', source, target, flags: 0x1000, propagation: 0, data: '' };
  }

  function expectOutsideUntouched(): void {
    expect(readdirSync(outside)).toEqual(['ptmx']);
    expect(readFileSync(join(outside, 'ptmx'), 'utf8')).toBe('canary');
  }

  it.each(['/proc', '/sys'])('with %s as a link is refused', async (path) => {
    replaceByLink(path, '/tmp');
    await expect(runToEnd(plan('true'))).rejects.toMatchObject({
      step: 'mounts',
      path,
      syscall: 'must be mounted on an ordinary directory',
    });
  });

  it('with /dev as a link out of it is refused', async () => {
    replaceByLink('dev', outside);
    await expect(runToEnd(plan('true'))).rejects.toMatchObject({ step: 'mounts', path: '/dev' });
    expectOutsideUntouched();
  });

  it.each([true, false])(
    'gets devices where its /dev link leads inside (tmpfs: %s)',
    async (tmpfs) => {
      replaceByLink('dev', outside);
      mkdirSync(join(scratch.root, outside), { recursive: true });
      const value = plan('sh', '-c', `test -c ${outside}/null && echo inside`);
      if (!tmpfs) value.mounts = value.mounts.filter((mount) => mount.target === '/proc');
      const { stdout } = await runToEnd(value);
      expect(stdout).toBe('inside\n');
      expectOutsideUntouched();
    },
  );

  it('with /dev/null as a link to a sysctl masks with the null device all the same', async () => {
    symlinkSync('/proc/sys/kernel/core_pattern', join(scratch.root, 'dev/null'));
    const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
    const value = plan('sh', '-c', 'echo "|/evil" > /proc/timer_list; ls -l /proc/timer_list');
    value.mounts = value.mounts.filter((mount) => mount.target === '/proc');
    value.devices = [];
    const { stdout } = await runToEnd(value);
    expect(stdout).toMatch(/^c.* 1, +3 .*timer_list/);
    expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before);
  });

  it('with another file where a device belongs is refused', async () => {
    writeFileSync(join(scratch.root, 'dev/zero'), 'not a device');
    const value = plan('true');
    value.mounts = value.mounts.filter((mount) => mount.target === '/proc');
    await expect(runToEnd(value)).rejects.toMatchObject({
      step: 'devices',
      path: '/dev/zero',
      code: 'EEXIST',
    });
  });

  it('cannot lead a mount target out with links and dots', async () => {
    symlinkSync('../../../../../..' + outside, join(scratch.root, 'tmp/way'));
    const value = plan('sh', '-c', 'test -d /tmp/way/new && echo inside');
    const source = join(scratch.directory, 'state');
    mkdirSync(join(scratch.root, outside), { recursive: true });
    value.mounts.push({
      type: 'bind',
      source,
      target: '/tmp/way/new',
      flags: 0x1000,
      propagation: 0,
      data: '',
    });
    const { stdout } = await runToEnd(value);
    expect(stdout).toBe('inside\n');
    expectOutsideUntouched();
  });

  it.each([
    ['an absolute link that leads nowhere yet', '/run/resolve/stub.conf'],
    ['a relative one', '../run/resolve/stub.conf'],
    ['a link to a link', 'first'],
  ])('has a file bound where %s belongs', async (_, target) => {
    symlinkSync('/run/resolve/stub.conf', join(scratch.root, 'etc/first'));
    symlinkSync(target, join(scratch.root, 'etc/resolv.conf'));
    const value = plan('cat', '/run/resolve/stub.conf');
    value.mounts.push(boundFile('/etc/resolv.conf'));
    expect((await runToEnd(value)).stdout).toBe('of the engine\n');
  });

  it('cannot have a file made outside by a link that leads nowhere in it', async () => {
    mkdirSync(join(scratch.root, outside), { recursive: true });
    for (const target of [`${outside}/new`, `../../../../../../..${outside}/new`]) {
      rmSync(join(scratch.root, 'etc/hosts'), { force: true });
      symlinkSync(target, join(scratch.root, 'etc/hosts'));
      const value = plan('cat', `${outside}/new`);
      value.mounts.push(boundFile('/etc/hosts'));
      expect((await runToEnd(value)).stdout).toBe('of the engine\n');
      expectOutsideUntouched();
    }
  });

  it('with links in a circle where a file belongs is refused', async () => {
    symlinkSync('hosts', join(scratch.root, 'etc/hosts'));
    const value = plan('true');
    value.mounts.push(boundFile('/etc/hosts'));
    await expect(runToEnd(value)).rejects.toMatchObject({ step: 'mounts', code: 'ELOOP' });
  });

  it('cannot put a mount over the root', async () => {
    const value = plan('true');
    value.mounts = [
      ...value.mounts,
      { type: 'tmpfs', source: 'tmpfs', target: '/..', flags: 0, propagation: 0, data: '' },
    ];
    await expect(runToEnd(value)).rejects.toMatchObject({
      step: 'mounts',
      syscall: 'mount target is the root',
    });
  });

  it('gets no working directory through a descriptor', async () => {
    symlinkSync('/proc/self/fd/5', join(scratch.root, 'cwd'));
    const numbers = Array.from({ length: 62 }, (_, index) => index + 3);
    const paths = [...numbers, 100, 101, 102, 103, 104].map((fd) => `/proc/self/fd/${fd}`);
    for (const cwd of [...paths, '/cwd']) {
      const value = plan('true');
      value.process.cwd = cwd;
      await expect(runToEnd(value)).rejects.toMatchObject({ step: 'cwd', path: cwd });
    }
  });

  it('cannot overwrite the program that starts it', async () => {
    const program = nativeBinary('teu-init');
    const digest = () => createHash('sha256').update(readFileSync(program)).digest('hex');
    const before = digest();
    rmSync(join(scratch.root, 'bin/true'));
    writeFileSync(join(scratch.root, 'bin/true'), '#!/proc/self/exe\n', { mode: 0o755 });
    // The sealed program runs itself here, finds no plan and ends; or the kernel refuses the interpreter.
    const ended = await runToEnd(plan('/bin/true')).catch((error: unknown) => error);
    expect(ended).toBeDefined();
    expect(digest()).toBe(before);
  });

  it('of a held container, the helper holds nothing of the host', async () => {
    const value = plan('true');
    value.hold = true;
    const { connection } = launch(value);
    const { pid } = await connection.created();
    const exe = `/proc/${pid}/exe`;
    expect(() => writeFileSync(exe, 'x')).toThrow(/EPERM|ETXTBSY/);
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      // Directories are where an escape begins: the only one is the container's own root.
      const info = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false });
      if (!info?.isDirectory()) continue;
      const root = statSync(`/proc/${pid}/root`);
      expect({ dev: info.dev, ino: info.ino }).toEqual({ dev: root.dev, ino: root.ino });
    }
    await connection.start();
    await connection.exited();
    await connection.released();
    connection.close();
    expect(existsSync(exe)).toBe(false);
  });
});
