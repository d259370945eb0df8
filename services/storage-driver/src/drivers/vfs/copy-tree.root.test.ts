import { requires, runProgram, tempDir } from '@teu/testing';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyTree } from './copy-tree.js';

/** A file of each kind, with attributes of each kind. The ACL is "user 5 may read", as the kernel has it. */
const MAKE = `
import os, struct, sys
root = sys.argv[1]
os.mkdir(root)
path = lambda name: os.path.join(root, name)
open(path('plain'), 'w').write('plain')
os.setxattr(path('plain'), 'user.colour', b'blue')
os.setxattr(path('plain'), 'trusted.shape', b'round')
os.setxattr(path('plain'), 'security.capability', struct.pack('<5I', 0x02000000, 1 << 10, 0, 0, 0))
os.link(path('plain'), path('again'))
open(path('setuid'), 'w').write('x')
os.chown(path('setuid'), 7, 8)
os.chmod(path('setuid'), 0o4751)
entries = [(1, 6, -1), (2, 4, 5), (4, 4, -1), (16, 6, -1), (32, 0, -1)]
acl = struct.pack('<I', 2) + b''.join(struct.pack('<HHi', *entry) for entry in entries)
open(path('listed'), 'w').write('x')
os.setxattr(path('listed'), 'system.posix_acl_access', acl)
os.symlink('nowhere', path('soft'))
os.chown(path('soft'), 9, 9, follow_symlinks=False)
os.setxattr(path('soft'), 'trusted.on-link', b'1', follow_symlinks=False)
os.mkfifo(path('fifo'))
os.mknod(path('null'), 0o020666, os.makedev(1, 3))
os.mknod(path('whiteout'), 0o020000, os.makedev(0, 0))
with open(path('sparse'), 'w') as sparse:
    sparse.truncate(1 << 30)
    sparse.seek(1 << 29)
    sparse.write('middle')
with open(path('zeros'), 'wb') as zeros:
    zeros.write(bytes(1 << 20))
os.mkdir(path('sub'))
open(path('sub/odd \\n name'), 'w').write('x')
os.setxattr(path('sub'), 'user.on-directory', b'1')
os.utime(path('sub'), ns=(1, 1234567890123456789))
os.utime(root, ns=(1, 999999999))
os.chmod(root, 0o1710)
`;

/** Everything that can be told of a tree but numbers of inodes and blocks. */
const DESCRIBE = `
import hashlib, os, stat, sys
first = {}
def describe(path):
    info = os.lstat(path)
    line = [os.path.relpath(path, sys.argv[1]), oct(info.st_mode), info.st_uid, info.st_gid, info.st_mtime_ns]
    if stat.S_ISDIR(info.st_mode):
        line.append('directory')
    else:
        line += [info.st_size, info.st_nlink, first.setdefault(info.st_ino, path[len(sys.argv[1]):])]
    if stat.S_ISREG(info.st_mode) and info.st_size < 1 << 24:
        line.append(hashlib.sha256(open(path, 'rb').read()).hexdigest())
    if stat.S_ISLNK(info.st_mode):
        line.append(os.readlink(path))
    line.append(info.st_rdev)
    names = sorted(os.listxattr(path, follow_symlinks=False))
    line += [(name, os.getxattr(path, name, follow_symlinks=False)) for name in names]
    print(line)
    if stat.S_ISDIR(info.st_mode):
        for name in sorted(os.listdir(path)):
            describe(os.path.join(path, name))
describe(sys.argv[1])
`;

async function python(program: string, argument: string): Promise<string> {
  const { code, stdout, stderr } = await runProgram('/usr/bin/python3', ['-c', program, argument]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout;
}

describe.runIf(requires('root', 'python3'))('a copy of a tree', () => {
  const never = new AbortController().signal;

  it('has all that the tree has', async () => {
    using directory = tempDir();
    const [from, to] = [join(directory.path, 'from'), join(directory.path, 'to')];
    await python(MAKE, from);
    await copyTree(from, to, never);
    const wanted = await python(DESCRIBE, from);
    expect(wanted).toContain('security.capability');
    expect(wanted).toContain('system.posix_acl_access');
    expect(await python(DESCRIBE, to)).toBe(wanted);
    expect(statSync(join(to, 'sparse')).blocks).toBeLessThan(64);
    expect(statSync(join(to, 'zeros')).blocks).toBe(0);
  });

  it('is given up when it is cancelled', async () => {
    using directory = tempDir();
    const from = join(directory.path, 'from');
    mkdirSync(from);
    for (let index = 0; index < 500; index += 1) writeFileSync(join(from, `${index}`), 'x');
    const cancel = new AbortController();
    const copying = copyTree(from, join(directory.path, 'to'), cancel.signal);
    cancel.abort();
    await expect(copying).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    expect(readdirSync(from)).toHaveLength(500);
  });

  it('says which file failed it', async () => {
    using directory = tempDir();
    const copying = copyTree(join(directory.path, 'none'), join(directory.path, 'to'), never);
    await expect(copying).rejects.toMatchObject({
      reason: 'STORAGE_FAILED',
      cause: { message: expect.stringContaining('none') as string },
    });
  });
});
