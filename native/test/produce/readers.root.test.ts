import { describe, expect, it } from 'vitest';
import { treeProgram } from '../graft/graft-program.js';
import { layerProgram } from '../layer/layer-tree.js';
import { ProducedTrees } from './produced-trees.js';

/** All that a tar needs more than ustar for. */
const HARD = `
  mkdir -p etc a/b && echo a > etc/a && ln etc/a etc/b && ln -s nowhere etc/l && ln etc/l etc/l2
  mkfifo pipe; mknod null c 1 3; mknod disk b 259 70000; chmod 4711 etc/a; chmod 1777 a
  deep=$(printf 'd%.0s' {1..90}); mkdir -p $deep/$deep; echo long > $deep/$deep/file; ln -s $deep/$deep/file far
  long=$(printf 'l%.0s' {1..250}); echo n > $long; ln $long other; echo u > 'Grüße und 漢字'
  chown -h 3000000:4000000 etc/l a/b; touch -h -d '1969-12-31 23:59:58 UTC' etc/l; touch -d @9999999999.5 a/b
  truncate -s 30M hole; echo end >> hole; truncate -s 9G huge; printf x | dd of=huge bs=1 seek=5G conv=notrunc status=none
  head -c 3000000 /dev/zero > zeros; head -c 600000 /dev/urandom > noise`;
const ATTRIBUTES = `python3 -c 'import os
os.setxattr("etc/a", "user.note", b"line\\nfeed=\\xff")
os.setxattr("noise", "security.capability", bytes.fromhex("0100000202000000000000000000000000000000"))'`;

const READERS = {
  'GNU tar': 'tar --xattrs --xattrs-include="*" --numeric-owner -xpf "$0"',
  bsdtar: 'bsdtar --numeric-owner -xpSf "$0"',
  'teu-layer': '',
} as const;

describe.runIf(process.getuid?.() === 0)('a tar that teu-layer makes', { timeout: 120_000 }, () => {
  const program = layerProgram('plain');
  const tree = treeProgram();

  it.each(Object.entries(READERS))('is read by %s as it was', (name, command) => {
    using trees = new ProducedTrees(program);
    trees.sh(`${HARD}\n${ATTRIBUTES}`, 'changed');
    // libarchive adds the fraction of a time before 1970 where it belongs subtracted.
    if (name !== 'bsdtar') trees.sh("touch -h -d '1969-12-31 23:59:58.25 UTC' etc/l", 'changed');
    const { result, tar } = trees.produce(['changed'], '--form', 'tree');
    // Neither 9 GiB nor 30 MiB of nothing.
    expect(result['tarBytes']).toBeLessThan(2_000_000);
    if (command === '') expect(trees.apply(tar)).toMatchObject({ status: 0 });
    else trees.sh(command, 'applied', tar);
    const list = (of: string) => trees.sh(`${tree} hash . --list`, of);
    expect(list('applied')).toBe(list('changed'));
  });

  it('is read by Python as it was', () => {
    using trees = new ProducedTrees(program);
    trees.sh(`${HARD}\n${ATTRIBUTES}`, 'changed');
    const { tar } = trees.produce(['changed'], '--form', 'tree');
    const script = `
import os, stat, sys, tarfile
for member in tarfile.open(sys.argv[1]):
    path = os.path.join(sys.argv[2], member.name)
    is_ = os.lstat(path)
    assert (member.uid, member.gid, member.mode) == (is_.st_uid, is_.st_gid, stat.S_IMODE(is_.st_mode)), path
    assert abs(member.mtime - is_.st_mtime) < 1e-5, path
    if member.isfile(): assert member.size == is_.st_size, path
    if member.issym(): assert member.linkname == os.readlink(path), path
    if member.islnk(): assert os.path.samestat(is_, os.lstat(os.path.join(sys.argv[2], member.linkname))), path
    if member.ischr() or member.isblk():
        assert (member.devmajor, member.devminor) == (os.major(is_.st_rdev), os.minor(is_.st_rdev)), path
    print(member.name.rstrip("/"))
`;
    const listed = trees.sh('python3 -c "$0" "$1" "$2"', '', script, tar, trees.at('changed'));
    const found = trees.sh('find . -printf "%P\\n" | LC_ALL=C sort', 'changed');
    expect(listed.split('\n').sort()).toEqual(
      found
        .split('\n')
        .map((name, at) => (at === 0 ? '.' : name))
        .sort(),
    );
  });

  it('keeps names that are not UTF-8, also long ones', () => {
    using trees = new ProducedTrees(program);
    trees.sh("touch $'\\xff'; touch $'\\xfe'$(printf 'x%.0s' {1..200})", 'changed');
    const { tar } = trees.produce(['changed'], '--form', 'tree');
    const list = (name: string) => trees.sh(`${tree} hash . --list`, name);
    trees.sh('tar -xpf "$0"', 'applied', tar);
    expect(list('applied')).toBe(list('changed'));
    trees.sh('rm -f -- *; bsdtar -xpf "$0"', 'applied', tar);
    expect(list('applied')).toBe(list('changed'));
  });

  it.each([
    ['gzip', 'gzip -dc'],
    ['zstd', 'zstd -dcq'],
  ])('is the same behind %s', (compression, unpack) => {
    using trees = new ProducedTrees(program);
    trees.sh('seq 1 500000 > numbers; head -c 3000000 /dev/urandom > noise', 'changed');
    const plain = trees.produce(['changed']);
    const packed = trees.produce(['changed'], '--compression', compression);
    expect(packed.result['diffId']).toBe(plain.result['diffId']);
    const digest = trees.sh(`sha256sum < '${packed.tar}'`).slice(0, 64);
    expect(packed.result['digest']).toBe(`sha256:${digest}`);
    trees.sh(`${unpack} < '${packed.tar}' | cmp - '${plain.tar}'`);
    const again = trees.produce(['changed'], '--compression', compression, '--max-depth', '9');
    expect(again.result['digest']).toBe(packed.result['digest']);
  });
});
