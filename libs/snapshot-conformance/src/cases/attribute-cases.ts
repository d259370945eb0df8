import { Capability } from '@teu/proto/storage';
import { strict as assert } from 'node:assert';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { makeLayer, withView, type ConformanceCase } from '../conformance-case.js';
import { treeCase } from '../tree-case.js';
import type { TreeOperation } from '../tree-operation.js';
import { acl, capability } from '../xattr-values.js';

/** Names as odd as every driver takes them. */
const ODD_NAMES = [
  'n'.repeat(242),
  'ü'.repeat(121),
  'no \udcff\udc80 UTF-8',
  'line\nend',
  ' blank ',
  'back\\slash',
  '-rf',
  'Case',
  'case',
  'a:b,c=d"e\'f',
];

/** Names that a union with whiteouts as files has no room for. */
const ALL_NAMES = ['n'.repeat(255), 'ü'.repeat(127), '.wh.not-a-whiteout', '.wh..wh..opq'];

const GIBIBYTE = 2 ** 30;
const BLOCK_BYTES = 512;

/** What belongs to a file beside its content. */
export const ATTRIBUTE_CASES: readonly ConformanceCase[] = [
  treeCase({
    name: 'odd-names',
    changes: changesOf(ODD_NAMES),
  }),
  treeCase({
    name: 'all-names',
    needs: [Capability.CAPABILITY_ALL_NAMES],
    changes: changesOf(ALL_NAMES),
  }),
  treeCase({
    name: 'modes-and-owners',
    changes: [
      [
        { do: 'write', path: 'setuid', text: '#!' },
        { do: 'chmod', path: 'setuid', mode: 0o4755 },
        { do: 'write', path: 'setgid', text: '#!' },
        { do: 'chown', path: 'setgid', uid: 65_534, gid: 65_534 },
        { do: 'chmod', path: 'setgid', mode: 0o2711 },
        { do: 'mkdir', path: 'tmp', mode: 0o1777 },
        { do: 'write', path: 'secret', text: 'x' },
        { do: 'chmod', path: 'secret', mode: 0o000 },
        { do: 'symlink', path: 'soft', target: 'setuid' },
        { do: 'chown', path: 'soft', uid: 7, gid: 8 },
      ],
      [
        { do: 'chown', path: 'setuid', uid: 2_000_000_000, gid: 100_000 },
        { do: 'chmod', path: 'setuid', mode: 0o4555 },
        { do: 'chmod', path: 'tmp', mode: 0o3770 },
        { do: 'write', path: 'tmp/of a group', text: 'x' },
      ],
      [{ do: 'chown', path: 'secret', uid: 1, gid: 1 }],
    ],
  }),
  treeCase({
    name: 'large-owners',
    needs: [Capability.CAPABILITY_EXACT_ATTRIBUTES],
    changes: [
      [
        { do: 'write', path: 'file', text: 'x' },
        { do: 'chown', path: 'file', uid: 4_000_000_000, gid: 4_294_967_294 },
      ],
      [{ do: 'append', path: 'file', text: 'y' }],
    ],
  }),
  treeCase({
    name: 'times-in-seconds',
    changes: [
      [
        { do: 'write', path: 'epoch', text: 'x' },
        { do: 'utime', path: 'epoch', time: '0' },
        { do: 'write', path: 'some day', text: 'x' },
        { do: 'utime', path: 'some day', time: '1234567890000000000' },
      ],
      // Copying a file up for its mode leaves its time as it was.
      [{ do: 'chmod', path: 'some day', mode: 0o600 }],
    ],
  }),
  treeCase({
    name: 'times',
    needs: [Capability.CAPABILITY_EXACT_ATTRIBUTES],
    changes: [
      [
        { do: 'write', path: 'nanoseconds', text: 'x' },
        { do: 'utime', path: 'nanoseconds', time: '1234567890123456789' },
        { do: 'write', path: 'future', text: 'x' },
        { do: 'utime', path: 'future', time: '4000000000000000001' },
      ],
      [
        { do: 'chmod', path: 'nanoseconds', mode: 0o600 },
        { do: 'rename', path: 'future', to: 'moved' },
      ],
    ],
  }),
  treeCase({
    name: 'nodes',
    changes: [
      [
        { do: 'node', path: 'null', type: 'char', mode: 0o666, major: 1, minor: 3 },
        { do: 'node', path: 'disk', type: 'block', mode: 0o660, major: 259, minor: 70_000 },
        { do: 'node', path: 'pipe', type: 'fifo', mode: 0o622 },
        { do: 'node', path: 'socket', type: 'socket', mode: 0o755 },
      ],
      [
        { do: 'chmod', path: 'null', mode: 0o600 },
        { do: 'chown', path: 'pipe', uid: 3, gid: 4 },
        { do: 'rename', path: 'disk', to: 'other disk' },
        { do: 'unlink', path: 'socket' },
        { do: 'node', path: 'socket', type: 'char', mode: 0o600, major: 5, minor: 0 },
      ],
    ],
  }),
  treeCase({
    name: 'xattrs',
    needs: [Capability.CAPABILITY_XATTRS],
    changes: [
      [
        { do: 'write', path: 'file', text: 'x' },
        { do: 'set-xattr', path: 'file', name: 'user.kept', value: '00ff' },
        { do: 'set-xattr', path: 'file', name: 'user.removed', value: '01' },
        { do: 'set-xattr', path: 'file', name: 'user.empty', value: '' },
        { do: 'set-xattr', path: 'file', name: 'trusted.shape', value: '726f756e64' },
        { do: 'set-xattr', path: 'file', name: 'user.long', value: 'ab'.repeat(2000) },
        { do: 'mkdir', path: 'dir', mode: 0o755 },
        { do: 'set-xattr', path: 'dir', name: 'user.of-a-directory', value: '02' },
        { do: 'symlink', path: 'soft', target: 'file' },
        { do: 'set-xattr', path: 'soft', name: 'trusted.of-a-link', value: '03' },
        { do: 'write', path: 'untouched', text: 'y' },
        { do: 'set-xattr', path: 'untouched', name: 'user.low', value: '04' },
      ],
      [
        { do: 'remove-xattr', path: 'file', name: 'user.removed' },
        { do: 'set-xattr', path: 'file', name: 'user.kept', value: '11' },
        { do: 'set-xattr', path: 'dir', name: 'user.more', value: '05' },
        { do: 'chmod', path: 'untouched', mode: 0o600 },
      ],
      [{ do: 'append', path: 'untouched', text: 'z' }],
    ],
  }),
  treeCase({
    name: 'file-capabilities',
    needs: [Capability.CAPABILITY_XATTRS],
    changes: [
      [
        { do: 'write', path: 'ping', text: '#!' },
        { do: 'chmod', path: 'ping', mode: 0o755 },
        { do: 'set-xattr', path: 'ping', name: 'security.capability', value: capability(13) },
        { do: 'write', path: 'bind', text: '#!' },
        { do: 'set-xattr', path: 'bind', name: 'security.capability', value: capability(10) },
      ],
      [
        { do: 'chmod', path: 'ping', mode: 0o700 },
        { do: 'set-xattr', path: 'bind', name: 'security.capability', value: capability(12) },
      ],
      [{ do: 'remove-xattr', path: 'bind', name: 'security.capability' }],
    ],
  }),
  treeCase({
    name: 'access-control-lists',
    needs: [Capability.CAPABILITY_XATTRS],
    changes: [
      [
        { do: 'write', path: 'file', text: 'x' },
        { do: 'set-xattr', path: 'file', name: 'system.posix_acl_access', value: acl(5) },
        { do: 'mkdir', path: 'dir', mode: 0o755 },
        { do: 'set-xattr', path: 'dir', name: 'system.posix_acl_default', value: acl(6) },
        { do: 'write', path: 'dir/heir', text: 'x' },
      ],
      [
        { do: 'write', path: 'dir/second', text: 'y' },
        { do: 'mkdir', path: 'dir/sub', mode: 0o750 },
        { do: 'chmod', path: 'file', mode: 0o640 },
        { do: 'set-xattr', path: 'dir/heir', name: 'system.posix_acl_access', value: acl(7) },
      ],
    ],
  }),
  {
    name: 'sparse-files',
    run: async (context) => {
      const { tree } = context;
      const base = await makeLayer(context, 'base', '', async (root) => {
        await tree.run(root, [
          { do: 'write', path: 'sparse', text: '' },
          { do: 'truncate', path: 'sparse', size: GIBIBYTE },
          { do: 'patch', path: 'sparse', offset: GIBIBYTE / 2, text: 'middle' },
        ]);
      });
      const top = await makeLayer(context, 'top', base, async (root) => {
        await tree.run(root, [{ do: 'chmod', path: 'sparse', mode: 0o600 }]);
      });
      for (const name of [base, top]) {
        await withView(context, name, (root) => {
          const { size, blocks } = lstatSync(join(root, 'sparse'));
          assert.equal(size, GIBIBYTE);
          assert.ok(blocks * BLOCK_BYTES < GIBIBYTE / 512, `${blocks} blocks of ${name}`);
        });
      }
    },
  },
];

/** Makes files of these names, then removes the first ones and changes the others. */
function changesOf(names: readonly string[]): TreeOperation[][] {
  const half = names.length >> 1;
  return [
    names.map((path) => ({ do: 'write', path, text: 'low' })),
    [
      ...names.slice(0, half).map((path): TreeOperation => ({ do: 'unlink', path })),
      ...names.slice(half).map((path): TreeOperation => ({ do: 'append', path, text: 'high' })),
      ...names.slice(1, half).map((path): TreeOperation => ({ do: 'mkdir', path, mode: 0o755 })),
      { do: 'symlink', path: 'to odd', target: `${'n'.repeat(255)}/\udcfe` },
    ],
  ];
}
