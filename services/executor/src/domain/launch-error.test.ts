import { teuError } from '@teu/errors';
import { NativeError } from '@teu/native';
import { expect, it } from 'vitest';
import { launchError } from './launch-error.js';

const failure = (step: string, errno: number, path = '/p') =>
  launchError('container x', new NativeError({ step, errno: -errno, syscall: 'call', path }));

it.each([
  ['exec', 2, 'PROGRAM_NOT_FOUND'],
  ['exec', 20, 'PROGRAM_NOT_FOUND'],
  ['exec', 13, 'PROGRAM_NOT_EXECUTABLE'],
  ['exec', 8, 'PROGRAM_NOT_EXECUTABLE'],
  ['user', 2, 'USER_NOT_FOUND'],
  ['mounts', 2, 'LAUNCH_FAILED'],
  ['mounts', 28, 'STORAGE_FULL'],
  ['connection', 104, 'LAUNCH_FAILED'],
])('a failure at %s with errno %i is %s', (step, errno, reason) => {
  expect(failure(step, errno)).toMatchObject({ reason, metadata: { step, syscall: 'call' } });
});

it('tells a path of the container, and keeps one of the host to itself', () => {
  expect((failure('cwd', 2, '/srv') as Error).message).toContain('"/srv"');
  const rootfs = failure('rootfs', 2, '/var/lib/secret') as Error & { metadata: object };
  expect(rootfs.message).not.toContain('secret');
  expect(rootfs.metadata).not.toHaveProperty('path');
});

it('leaves errors that have a reason alone, and gives a full disk one', () => {
  const known = teuError('INVALID_SPEC', 'x');
  expect(launchError('x', known)).toBe(known);
  const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  expect(launchError('x', full)).toMatchObject({ reason: 'STORAGE_FULL' });
});
