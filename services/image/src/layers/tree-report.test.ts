import { ChangeKind } from '@teu/proto/image';
import { expect, it } from 'vitest';
import { parseTreeLine, treeFailure } from './tree-report.js';

it('reads changes, the end, and a failure', () => {
  expect(parseTreeLine('{"kind":"removed","path":"/a\\ufffd"}')).toEqual({
    kind: 'change',
    change: { kind: ChangeKind.CHANGE_KIND_REMOVED, path: '/a\ufffd' },
  });
  expect(parseTreeLine('{"changed":3}')).toEqual({ kind: 'done', changedCount: 3 });
  expect(parseTreeLine('{"code":"SYSCALL","step":"s"}')).toMatchObject({ kind: 'failed' });
  expect([parseTreeLine('{}'), parseTreeLine('no')]).toEqual([undefined, undefined]);
});

const failure = { code: 'SYSCALL', message: 'm', step: 'copy', entry: '/x', errnoName: '' };

it.each([
  [{ errnoName: 'ENOSPC' }, 'STORAGE_FULL'],
  [{ errnoName: 'EDQUOT' }, 'QUOTA_EXCEEDED'],
  [{ errnoName: 'EIO' }, 'STORAGE_FAILED'],
  [{ errnoName: 'EINVAL', step: "perform the driver's mounts" }, 'MOUNT_FAILED'],
  [{ errnoName: 'ENOENT', step: "perform the driver's mounts" }, 'MOUNT_FAILED'],
  [{ errnoName: 'ENOENT' }, 'CONFLICT'],
  [{ code: 'MOVED' }, 'CONFLICT'],
  [{ code: 'USAGE' }, 'INTERNAL'],
])('%j is told as %s', (change, reason) => {
  expect(treeFailure({ ...failure, ...change })).toMatchObject({ reason });
});
