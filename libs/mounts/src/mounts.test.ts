import { describe, expect, test } from 'vitest';
import {
  flagNames,
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_SLAVE,
  MS_STRICTATIME,
  parseMount,
  type MountDescription,
} from './index.js';

const mount = (part: Partial<MountDescription>): MountDescription => ({
  type: 'tmpfs',
  source: 'tmpfs',
  target: '/x',
  options: [],
  ...part,
});

describe('options', () => {
  test.each([
    [['ro'], MS_RDONLY],
    [['ro', 'rw'], 0],
    [['nosuid', 'nodev', 'noexec'], MS_NOSUID | MS_NODEV | MS_NOEXEC],
    [['nosuid', 'suid', 'nodev', 'dev', 'noexec', 'exec'], 0],
    [['noatime', 'relatime'], MS_RELATIME],
    [['relatime', 'strictatime'], MS_STRICTATIME],
    [['strictatime', 'noatime'], MS_NOATIME],
    [['noatime', 'atime'], 0],
    [['defaults'], 0],
  ])('%j come to flags', (options, flags) => {
    expect(parseMount(mount({ options }))).toMatchObject({ flags, propagation: 0, data: '' });
  });

  test('propagation is apart from flags, and the last one wins', () => {
    const parsed = parseMount(mount({ options: ['rshared', 'rprivate'] }));
    expect(parsed).toMatchObject({ flags: 0, propagation: MS_PRIVATE | MS_REC });
    expect(parseMount(mount({ options: ['slave'] })).propagation).toBe(MS_SLAVE);
  });

  test('recursive attributes are apart from both', () => {
    const parsed = parseMount(mount({ options: ['rro', 'rnosuid', 'rsuid'] }));
    expect(parsed).toMatchObject({
      flags: 0,
      recursiveFlags: MS_RDONLY,
      recursiveFlagsCleared: MS_NOSUID,
    });
  });

  test('the rest is data, in order', () => {
    const parsed = parseMount(
      mount({
        type: 'overlay',
        source: 'overlay',
        options: ['workdir=/w', 'upperdir=/u', 'ro', 'lowerdir=/a:/b\\,c', 'volatile'],
      }),
    );
    expect(parsed.data).toBe('workdir=/w,upperdir=/u,lowerdir=/a:/b\\,c,volatile');
    expect(parsed.flags).toBe(MS_RDONLY);
  });
});

describe('a bind mount', () => {
  test.each([
    ['bind', ['rbind', 'ro'], MS_BIND | MS_REC | MS_RDONLY],
    ['bind', [], MS_BIND],
    ['none', ['bind'], MS_BIND],
    ['', ['rbind'], MS_BIND | MS_REC],
  ])('may be said by type %j and options %j', (type, options, flags) => {
    expect(parseMount(mount({ type, source: '/src', options }))).toMatchObject({
      type: 'bind',
      flags,
    });
  });

  test('needs an absolute source', () => {
    for (const source of ['', 'src', './src']) {
      expect(() => parseMount(mount({ type: 'bind', source }))).toThrow(
        expect.objectContaining({ reason: 'INVALID_ARGUMENT' }) as Error,
      );
    }
  });
});

describe('refused', () => {
  test.each([
    mount({ type: 'nfs' }),
    mount({ type: '' }),
    mount({ type: 'none' }),
    mount({ type: 'fuse.' }),
    mount({ type: 'debugfs' }),
    mount({ type: 'overlay\0' }),
    mount({ options: ['suid_everything'] }),
    mount({ options: [''] }),
    mount({ options: ['RO'] }),
    mount({ options: ['size=1,mode=777'] }),
    mount({ options: ['size=1\n'] }),
    mount({ type: 'bind', source: '/x', options: ['size=1'] }),
    mount({ type: 'overlay', options: ['lowerdir=/a,upperdir=/b'] }),
    mount({ type: 'overlay', options: ['lowerdir=/a\\\\,upperdir=/b'] }),
    mount({ type: 'cgroup', options: ['release_agent=/x'] }),
    mount({ type: 'proc', options: ['hidepid=2', 'subset=pid', 'x'] }),
    mount({ options: Array.from({ length: 2000 }, () => 'ro') }),
  ])('%j', (description) => {
    expect(() => parseMount(description)).toThrow(
      expect.objectContaining({ reason: 'UNSUPPORTED_MOUNT' }) as Error,
    );
  });

  test.each([
    mount({ target: '/a/../b' }),
    mount({ target: '..' }),
    mount({ target: '/a\nb' }),
    mount({ source: '/a\0b' }),
    mount({ target: '/'.repeat(5000) }),
  ])('%j', (description) => {
    expect(() => parseMount(description, 'mounts[3]')).toThrow(/^mounts\[3\]\./);
  });

  test('without the value of the option in the text', () => {
    expect(() => parseMount(mount({ options: ['secret=/host/path'] }))).toThrow(/\("secret"\)$/);
  });
});

test.each(['fuse', 'fuse3.fuse-overlayfs', 'fuse.sshfs', 'erofs', 'ext4', 'zfs', 'cgroup2'])(
  '%s is a type',
  (type) => {
    expect(parseMount(mount({ type })).type).toBe(type);
  },
);

test('flags have names', () => {
  expect(flagNames(MS_BIND | MS_RDONLY | MS_REC)).toEqual(['ro', 'bind', 'rec']);
  expect(flagNames(MS_RDONLY | 0x4000_0000)).toEqual(['ro', '0x40000000']);
  expect(flagNames(0)).toEqual([]);
});
