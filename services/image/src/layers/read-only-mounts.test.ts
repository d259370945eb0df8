import { MS_RDONLY, parseStorageMounts, type ParsedMount } from '@teu/mounts';
import { expect, it } from 'vitest';
import { readOnlyMounts } from './read-only-mounts.js';

const overlay = (...options: string[]): ParsedMount[] =>
  parseStorageMounts([{ type: 'overlay', source: 'overlay', target: '', options }], 'mounts');

it('puts the upper directory of an overlay on top of the lower ones', () => {
  const mounts = overlay('index=off', 'workdir=/w', 'upperdir=/u', 'lowerdir=/b:/a', 'volatile');
  expect(readOnlyMounts(mounts)).toMatchObject([
    { flags: MS_RDONLY, data: 'index=off,lowerdir=/u:/b:/a' },
  ]);
});

it('keeps commas in paths, and escapes colons that mean nothing in an upper directory', () => {
  const mounts = overlay('lowerdir=/b\\,c', 'upperdir=/u:v\\,w\\:x', 'workdir=/w');
  expect(readOnlyMounts(mounts)[0]?.data).toBe('lowerdir=/u\\:v\\,w\\:x:/b\\,c');
});

it('leaves others as they are', () => {
  const view = overlay('ro', 'lowerdir=/b:/a');
  expect(readOnlyMounts(view)).toEqual(view);
  const bind = parseStorageMounts(
    [{ type: 'bind', source: '/s', target: '', options: ['rbind', 'rw'] }],
    'mounts',
  );
  expect(readOnlyMounts(bind)).toEqual(bind);
});
