import { dir, file, hard, link, xattr, type TarItem } from './tar-builder.js';

/** Layers that must be refused, with the code and the entry to blame. */
export const REFUSED: [what: string, layers: TarItem[][], code: string, entry: string][] = [
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
