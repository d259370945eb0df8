import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { layerProgram, makeLayerTree, type LayerTree } from './layer-tree.js';
import { dir, file, hard, link, member, tar, xattr, type TarItem } from './tar-builder.js';

const CANARY = 'untouched';

/** Layers that must be refused, with the code and the entry to blame. */
const REFUSED: [what: string, layers: TarItem[][], code: string, entry: string][] = [
  ['a name that goes up', [[file('../x')]], 'PATH_TRAVERSAL', '../x'],
  ['a name that goes up in its middle', [[file('a/../../x')]], 'PATH_TRAVERSAL', 'a/../../x'],
  ['an absolute name', [[file('/x')]], 'PATH_TRAVERSAL', '/x'],
  [
    'a PAX name over an innocent one',
    [[{ name: 'ok', pax: [['path', '../x']] }]],
    'PATH_TRAVERSAL',
    '../x',
  ],
  ['an absolute link as parent', [[link('l', '/'), file('l/x')]], 'LINK_AS_PARENT', 'l/x'],
  ['a climbing link as parent', [[link('l', '../..'), file('l/x')]], 'LINK_AS_PARENT', 'l/x'],
  [
    'a chain of links as parent',
    [[dir('d'), link('d/a', 'b'), link('d/b', '../../..'), file('d/a/x')]],
    'LINK_AS_PARENT',
    'd/a/x',
  ],
  [
    'a directory replaced by a link',
    [[dir('d'), link('d', '/'), file('d/x')]],
    'LINK_AS_PARENT',
    'd/x',
  ],
  ['links in a loop', [[link('a', 'b'), link('b', 'a'), file('a/x')]], 'LINK_AS_PARENT', 'a/x'],
  ['a file as parent', [[file('f'), file('f/x')]], 'PARENT_NOT_DIRECTORY', 'f/x'],
  ['a hard link that goes up', [[hard('h', '../canary')]], 'BAD_HARD_LINK', 'h'],
  ['an absolute hard link', [[hard('h', '/etc/passwd')]], 'BAD_HARD_LINK', 'h'],
  [
    'a hard link by way of a link',
    [[link('l', '/'), hard('h', 'l/etc/passwd')]],
    'LINK_AS_PARENT',
    'h',
  ],
  ['a hard link to nothing', [[hard('h', 'gone')]], 'BAD_HARD_LINK', 'h'],
  ['a hard link to a directory', [[dir('d'), hard('h', 'd')]], 'BAD_HARD_LINK', 'h'],
  ['a hard link to itself', [[file('f'), hard('f', 'f')]], 'BAD_HARD_LINK', 'f'],
  [
    'an overlay redirect',
    [[xattr('f', 'trusted.overlay.redirect', '/secret')]],
    'RESERVED_ATTRIBUTE',
    'f',
  ],
  ['an overlay opaque mark', [[xattr('f', 'trusted.overlay.opaque')]], 'RESERVED_ATTRIBUTE', 'f'],
  ['an overlay mark of users', [[xattr('f', 'user.overlay.whiteout')]], 'RESERVED_ATTRIBUTE', 'f'],
  ['a label of SELinux', [[xattr('f', 'security.selinux')]], 'RESERVED_ATTRIBUTE', 'f'],
  ['an ACL', [[xattr('f', 'system.posix_acl_access')]], 'RESERVED_ATTRIBUTE', 'f'],
  [
    'a capability that is none',
    [[xattr('f', 'security.capability', 'x')]],
    'RESERVED_ATTRIBUTE',
    'f',
  ],
  ['the kernel’s own whiteout', [[{ name: 'w', type: '3' }]], 'RESERVED_DEVICE', 'w'],
  ...['.wh.', '.wh..', '.wh...', '.wh..wh.foo', '.wh..wh.plnk', '.wh..wh..opqx'].map(
    (name): [string, TarItem[][], string, string] => [
      `the whiteout ${name}`,
      [[file(name)]],
      'MALFORMED_WHITEOUT',
      name,
    ],
  ),
  ['a file below a whiteout', [[file('.wh.d/x')]], 'MALFORMED_WHITEOUT', '.wh.d/x'],
  ['a whiteout that is a link', [[link('.wh.x', '/')]], 'MALFORMED_WHITEOUT', '.wh.x'],
  ['a whiteout that is a directory', [[dir('.wh.x')]], 'MALFORMED_WHITEOUT', '.wh.x/'],
  ['a file for a root', [[file('.')]], 'BAD_TAR', '.'],
  ['a member of no known type', [[{ name: 'v', type: 'V' }]], 'BAD_TAR', 'v'],
  ['a negative size', [[{ name: 'f', size: Buffer.alloc(12, 0xff) }]], 'BAD_TAR', '(tar header)'],
  ['a size of 8 EiB', [[{ name: 'f', pax: [['size', '9223372036854775807']] }]], 'BAD_TAR', 'f'],
  ['a size that is no number', [[{ name: 'f', pax: [['size', '-1']] }]], 'BAD_TAR', 'f'],
  ['an owner of 2^32', [[{ name: 'f', pax: [['uid', '4294967296']] }]], 'BAD_TAR', 'f'],
  ['a NUL in a name', [[{ name: 'f', pax: [['path', 'a\0b']] }]], 'BAD_TAR', 'a\0b'],
  [
    'a name of 300 bytes',
    [[{ name: 'f', pax: [['path', 'n'.repeat(300)]] }]],
    'LIMIT_EXCEEDED',
    'n'.repeat(300),
  ],
  [
    '1100 levels',
    [[{ name: 'f', pax: [['path', `${'d/'.repeat(1100)}x`]] }]],
    'LIMIT_EXCEEDED',
    `${'d/'.repeat(1100)}x`,
  ],
  [
    'a PAX header of 2 MiB',
    [[{ name: 'f', pax: [['comment', 'c'.repeat(2 ** 21)]] }]],
    'LIMIT_EXCEEDED',
    '(tar header)',
  ],
  [
    'a sparse map that overlaps itself',
    [
      [
        {
          name: 'f',
          data: 'abcd',
          pax: [
            ['GNU.sparse.map', '0,2,1,2'],
            ['GNU.sparse.size', '9'],
          ],
        },
      ],
    ],
    'BAD_TAR',
    'f',
  ],
  [
    'a sparse map beyond the end',
    [
      [
        {
          name: 'f',
          data: 'ab',
          pax: [
            ['GNU.sparse.map', '8,2'],
            ['GNU.sparse.size', '9'],
          ],
        },
      ],
    ],
    'BAD_TAR',
    'f',
  ],
];

describe.each(['plain', 'sanitized'] as const)('teu-layer (%s)', (kind) => {
  let program: string;
  let tree: LayerTree;

  // Compiling with sanitizers takes a minute, the first time.
  beforeAll(() => {
    program = layerProgram(kind);
  }, 600_000);

  beforeEach(() => {
    tree = makeLayerTree(program);
    writeFileSync(join(tree.directory, 'canary'), CANARY);
  });

  afterEach(() => tree.remove());

  it.each(REFUSED)('refuses %s', (_, layers, code, entry) => {
    const answers = layers.map((items) => tree.apply(tar(...items)));
    expect(answers.at(-1)).toMatchObject({ status: 1, stderr: '', result: { code, entry } });
    expect(readFileSync(join(tree.directory, 'canary'), 'utf8')).toBe(CANARY);
    expect(existsSync(join(tree.directory, 'x'))).toBe(false);
    expect(readdirSync('/')).not.toContain('x');
  });

  it('follows a lower layer’s link, but inside the tree only', () => {
    mkdirSync(join(tree.directory, 'outside'));
    const outside = join(tree.directory, 'outside');
    expect(
      tree.apply(tar(link('abs', outside), link('up', '../../../etc'), dir('d'))),
    ).toMatchObject({
      status: 0,
    });
    expect(tree.apply(tar(file('abs/planted'), file('up/planted')))).toMatchObject({ status: 0 });
    expect(readdirSync(outside)).toEqual([]);
    expect(existsSync('/etc/planted')).toBe(false);
    expect(readFileSync(join(tree.root, outside, 'planted'), 'utf8')).toBe('abs/planted');
    expect(readFileSync(join(tree.root, 'etc/planted'), 'utf8')).toBe('up/planted');
  });

  it('never changes what a link points to', () => {
    const target = join(tree.directory, 'canary');
    const items = [link('l', target), { ...file('l', 'mine'), mode: 0o4777, uid: 7 }];
    expect(tree.apply(tar(...items))).toMatchObject({ status: 0 });
    expect(readFileSync(target, 'utf8')).toBe(CANARY);
    expect(lstatSync(target).uid).toBe(0);
    expect(lstatSync(join(tree.root, 'l'))).toMatchObject({ uid: 7, size: 4 });
  });

  it('stops at its limits', () => {
    const big = { name: 'zeros', data: Buffer.alloc(4 * 2 ** 20) };
    const code = { status: 1, result: { code: 'LIMIT_EXCEEDED' } };
    expect(tree.apply(tar(big), '--max-bytes', String(2 ** 20))).toMatchObject(code);
    expect(tree.apply(tar(file('a'), file('b')), '--max-entries', '1')).toMatchObject(code);
    for (const bomb of [gzipSync(tar(big)), zstdCompressSync(tar(big))]) {
      expect(tree.apply(bomb, '--ratio-floor', '1048576', '--max-ratio', '100')).toMatchObject(
        code,
      );
    }
  });

  it('refuses a tar that is cut off, wherever', () => {
    const whole = tar({ name: 'f', data: 'x'.repeat(3000), pax: [['comment', 'c'.repeat(600)]] });
    for (const length of [100, 600, 1100, 1700, 2100, 3000, 4700]) {
      const answer = tree.apply(whole.subarray(0, length));
      expect([length, answer.result['code']]).toEqual([length, 'BAD_TAR']);
    }
  });

  it('refuses damage at any byte of a header, or reads it as something harmless', () => {
    const [head = Buffer.alloc(0)] = member(file('f'));
    for (let at = 0; at < 512; at += 7) {
      const damaged = Buffer.from(tar(file('f')));
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      // Bytes 148 to 156 are the checksum itself; its last two are padding.
      if (at < 154 || at > 155) expect(tree.apply(damaged).result['code']).toBe('BAD_TAR');
    }
    expect(head.length).toBe(512);
  });
});
