import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canMountUnions, put, pythonLines, TestUnion, unionProgram } from './union-program.js';

const CAPABILITY = '0100000202000000000000000000000000000000';
const ACL =
  '02000000010006000000ffff02000400e803000004000400ffffffff10000400ffffffff20000400ffffffff';

const setAttribute = (path: string, name: string, hex: string): string =>
  pythonLines(
    'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]))',
    path,
    name,
    hex,
  );
const attributes = (path: string): string =>
  pythonLines(
    'import os, sys; p = sys.argv[1]; print({n: os.getxattr(p, n).hex() for n in sorted(os.listxattr(p))})',
    path,
  );
const errorOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
  return undefined;
};

describe.runIf(canMountUnions()).each(['plain', 'sanitized'] as const)(
  'files of a union, %s',
  (kind) => {
    const program = unionProgram(kind);
    const layers = ['rw=rw', 'top=ro+wh', 'base=ro+wh'] as const;

    it('have the form of AUFS on the disk', async () => {
      await using union = new TestUnion(program);
      put(union.at('base/dir/gone'), 'a');
      put(union.at('base/dir/kept'), 'b');
      put(union.at('base/whole/file'), 'c');
      union.mount(...layers);
      unlinkSync(join(union.root, 'dir/gone'));
      rmSync(join(union.root, 'whole'), { recursive: true });
      expect(readdirSync(union.root)).toEqual(['dir']);
      expect(readdirSync(union.at('rw')).sort()).toEqual([
        '.wh..wh.aufs',
        '.wh..wh.orph',
        '.wh..wh.plnk',
        '.wh.whole',
        'dir',
      ]);
      const whiteout = statSync(union.at('rw/dir/.wh.gone'));
      expect(whiteout.ino).toBe(statSync(union.at('rw/.wh..wh.aufs')).ino);
      expect([whiteout.mode, whiteout.size]).toEqual([0o100444, 0]);
      mkdirSync(join(union.root, 'whole'));
      expect(readdirSync(union.at('rw/whole'))).toEqual(['.wh..wh.opq']);
      expect(existsSync(union.at('rw/.wh.whole'))).toBe(false);
      writeFileSync(join(union.root, 'dir/gone'), 'again');
      expect(readdirSync(union.at('rw/dir'))).toEqual(['gone']);
    });

    it('of ro branches are not hidden by their whiteouts, which are not shown either', async () => {
      await using union = new TestUnion(program);
      put(union.at('base/file'), 'x');
      put(union.at('top/.wh.file'), '');
      union.mount('rw=rw', 'top=ro', 'base=ro+wh');
      expect(readdirSync(union.root)).toEqual(['file']);
      expect(await union.ask(`mod ro+wh=${union.at('top')}`)).toBe('ok');
      expect(readdirSync(union.root)).toEqual([]);
      expect(errorOf(() => statSync(join(union.root, 'file')))).toBe('ENOENT');
    });

    it('cannot have names of the union, nor such whose whiteout is no name', async () => {
      await using union = new TestUnion(program);
      union.mount(...layers);
      expect(errorOf(() => writeFileSync(join(union.root, '.wh.x'), ''))).toBe('EPERM');
      expect(errorOf(() => mkdirSync(join(union.root, '.wh.x')))).toBe('EPERM');
      expect(errorOf(() => readdirSync(join(union.root, '.wh..wh.orph')))).toBe('ENOENT');
      expect(errorOf(() => writeFileSync(join(union.root, 'n'.repeat(252)), ''))).toBe(
        'ENAMETOOLONG',
      );
      writeFileSync(join(union.root, 'n'.repeat(251)), '');
    });

    it('are copied up with all that belongs to them, and keep their numbers', async () => {
      await using union = new TestUnion(program);
      const below = union.at('base/deep/file');
      put(below, 'x');
      truncateSync(below, 8 << 20);
      appendFileSync(below, 'end');
      execFileSync('chown', ['-R', '7:8', union.at('base/deep')]);
      chmodSync(below, 0o4750);
      chmodSync(union.at('base/deep'), 0o2711);
      const given = {
        'user.colour': '626c7565',
        'trusted.x': '01',
        'security.capability': CAPABILITY,
        'system.posix_acl_access': ACL,
      };
      for (const [name, value] of Object.entries(given)) setAttribute(below, name, value);
      execFileSync('touch', ['-d', '2001-02-03 04:05:06.789', below, union.at('base/deep')]);
      const expected = attributes(below);
      union.mount(...layers);
      const file = join(union.root, 'deep/file');
      const before = lstatSync(file);
      execFileSync('touch', ['-a', file]);
      const copy = lstatSync(union.at('rw/deep/file'));
      const original = lstatSync(below);
      for (const key of ['mode', 'uid', 'gid', 'size', 'mtimeMs'] as const)
        expect(copy[key]).toBe(original[key]);
      expect(copy.blocks).toBeLessThanOrEqual(original.blocks + 16);
      expect(attributes(union.at('rw/deep/file'))).toBe(expected);
      expect(attributes(file)).toBe(expected);
      expect(lstatSync(file).ino).toBe(before.ino);
      const directory = statSync(union.at('rw/deep'));
      expect([directory.mode & 0o7777, directory.uid, directory.gid, directory.mtimeMs]).toEqual([
        0o2711,
        7,
        8,
        statSync(union.at('base/deep')).mtimeMs,
      ]);
      appendFileSync(file, '!');
      expect(attributes(file)).not.toContain('security.capability');
    });

    it('lose set-user-ID when somebody else writes', async () => {
      await using union = new TestUnion(program);
      put(union.at('base/tool'), 'x');
      chmodSync(union.at('base/tool'), 0o4777);
      chmodSync(union.path, 0o755);
      union.mount(...layers);
      const tool = join(union.root, 'tool');
      expect(statSync(tool).mode & 0o7777).toBe(0o4777);
      pythonLines('import os, sys; os.setuid(1000); open(sys.argv[1], "r+").write("y")', tool);
      expect(statSync(union.at('rw/tool')).mode & 0o7777).toBe(0o777);
    });

    it('stay what they are for who has them open while they are copied up', async () => {
      await using union = new TestUnion(program);
      put(union.at('base/log'), 'one\n');
      put(union.at('base/other'), 'x');
      union.mount(...layers);
      const log = join(union.root, 'log');
      const open = openSync(log, 'r');
      const { ino } = statSync(log);
      appendFileSync(log, 'two\n');
      expect(readFileSync(log, 'utf8')).toBe('one\ntwo\n');
      expect(readFileSync(open, 'utf8')).toBe('one\n');
      expect(statSync(log).ino).toBe(ino);
      expect(readFileSync(`/proc/self/fd/${open}`, 'utf8')).toMatch(/^one\n/);
      closeSync(open);
      // By a descriptor that is open for reading.
      const other = openSync(join(union.root, 'other'), 'r');
      execFileSync('chmod', ['0600', `/proc/${process.pid}/fd/${other}`]);
      expect(fstatSync(other).mode & 0o777).toBe(0o600);
      expect(statSync(join(union.root, 'other')).mode & 0o777).toBe(0o600);
      unlinkSync(join(union.root, 'other'));
      expect(readFileSync(other, 'utf8')).toBe('x');
      closeSync(other);
    });

    it('with several names stay one file, before and after they are flushed', async () => {
      await using union = new TestUnion(program);
      put(union.at('base/dir/one'), 'x');
      for (const name of ['two', 'three'])
        linkSync(union.at('base/dir/one'), union.at('base', name));
      union.mount(...layers);
      appendFileSync(join(union.root, 'dir/one'), 'y');
      chmodSync(join(union.root, 'two'), 0o600);
      const shown = (root: string): unknown[] =>
        ['dir/one', 'two', 'three'].map((name) => {
          const { ino, nlink, mode } = statSync(join(root, name));
          return [readFileSync(join(root, name), 'utf8'), ino, nlink, mode];
        });
      const [first] = shown(union.root);
      expect(shown(union.root)).toEqual([first, first, first]);
      expect(first).toMatchObject(['xy', expect.any(Number), 3, 0o100600]);
      renameSync(join(union.root, 'three'), join(union.root, 'four'));
      renameSync(join(union.root, 'four'), join(union.root, 'three'));
      expect(await union.ask('flush')).toBe('ok');
      expect(readdirSync(union.at('rw/.wh..wh.plnk'))).toEqual([]);
      const [real] = shown(union.at('rw'));
      expect(shown(union.at('rw'))).toEqual([real, real, real]);
      expect(shown(union.root)).toEqual([first, first, first]);
    });

    it('can be mapped, made of any type, and have holes', async () => {
      await using union = new TestUnion(program);
      union.mount(...layers);
      const told = pythonLines(
        `
import mmap, os, sys
os.chdir(sys.argv[1])
handle = os.open("file", os.O_RDWR | os.O_CREAT)
os.truncate("file", 1 << 20)
os.pwrite(handle, b"data", 512 << 10)
print(os.lseek(handle, 0, os.SEEK_DATA) >= 500 << 10, os.fstat(handle).st_size)
mapped = mmap.mmap(handle, 4096)
os.utime("file", (1, 1))
mapped[0:5] = b"hello"
mapped.flush()
print(os.pread(handle, 5, 0), open("file").read(5), os.stat("file").st_mtime > 1)
os.posix_fallocate(handle, 1 << 20, 4096)
print(os.stat("file").st_size)
os.mknod("null", 0o020666, os.makedev(1, 3))
print(open("null", "w").write("gone"), os.stat("null").st_rdev == os.makedev(1, 3))
other = os.open("copy", os.O_RDWR | os.O_CREAT)
print(os.copy_file_range(handle, other, 100, 0, 0), os.stat("copy").st_size, open("copy").read(5))
os.unlink("file")
print(os.fstat(handle).st_nlink, os.pread(handle, 5, 0), open(f"/proc/self/fd/{handle}").read(5))
print(os.statvfs(".").f_namemax)`,
        union.root,
      );
      expect(told.split('\n')).toEqual([
        'True 1048576',
        "b'hello' hello True",
        '1052672',
        '4 True',
        '100 100 hello',
        "0 b'hello' hello",
        '251',
      ]);
    });

    it('that are directories with lower parts are not renamed; others are, and hide what is below', async () => {
      await using union = new TestUnion(program);
      put(union.at('base/lower/file'), 'x');
      put(union.at('base/gone/file'), 'x');
      union.mount(...layers);
      expect(errorOf(() => renameSync(join(union.root, 'lower'), join(union.root, 'new')))).toBe(
        'EXDEV',
      );
      mkdirSync(join(union.root, 'fresh'));
      rmSync(join(union.root, 'gone'), { recursive: true });
      renameSync(join(union.root, 'fresh'), join(union.root, 'gone'));
      expect(readdirSync(join(union.root, 'gone'))).toEqual([]);
      expect(readdirSync(union.at('rw/gone'))).toEqual(['.wh..wh.opq']);
    });
  },
);
