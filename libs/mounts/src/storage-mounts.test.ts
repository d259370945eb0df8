import { describe, expect, test } from 'vitest';
import { MS_BIND, MS_RDONLY, MS_REC, parseStorageMounts, type MountDescription } from './index.js';

const origin = { driver: 'ctd', snapshot: 'container/1' };
const mount = (type: string, ...options: string[]): MountDescription => ({
  type,
  source: '/dev/x',
  target: '',
  options,
});

describe('mounts of a snapshot', () => {
  test('keep their order and their places', () => {
    const mounts = [
      mount('erofs', 'ro'),
      { ...mount('bind', 'rbind', 'ro'), target: 'data/sub' },
      { ...mount('overlay', 'lowerdir=/a:/b', 'upperdir=/u', 'workdir=/w'), target: '' },
    ];
    expect(parseStorageMounts(mounts, origin)).toMatchObject([
      { type: 'erofs', flags: MS_RDONLY, target: '' },
      { type: 'bind', flags: MS_BIND | MS_REC | MS_RDONLY, target: 'data/sub' },
      { type: 'overlay', data: 'lowerdir=/a:/b,upperdir=/u,workdir=/w' },
    ]);
  });

  test('may be branches of AUFS', () => {
    const options = ['br:/l/3=rw:/l/2=ro+wh:/l/1=ro', 'xino=/x/3', 'dirperm1', 'udba=reval'];
    expect(parseStorageMounts([mount('aufs', ...options)], origin)).toMatchObject([
      { type: 'aufs', flags: 0, data: options.join(',') },
    ]);
    for (const odd of ['br:l/3=rw', 'br:/l/3=rw,xino=/etc/passwd', 'bring:/l', 'add:x:/l=ro']) {
      expect(() => parseStorageMounts([mount('aufs', odd)], origin), odd).toThrow('option');
    }
  });

  test.each(['ext4', 'xfs', 'btrfs', 'zfs', 'squashfs', 'tmpfs'])('may be %s', (type) => {
    expect(parseStorageMounts([mount(type, 'subvolid=5')].map(plain), origin)).toHaveLength(1);
  });

  test.each([
    mount('format/erofs'),
    mount('mkfs/ext4'),
    mount('loop'),
    mount('fuse3.fuse-overlayfs', 'lowerdir=/a'),
    mount('proc'),
    mount(''),
  ])('of another type are refused, with all names: %j', (description) => {
    expect(() => parseStorageMounts([description], origin)).toThrow(
      expect.objectContaining({
        reason: 'UNSUPPORTED_MOUNT',
        message: `snapshot "container/1" of the storage driver ctd cannot be mounted: the type "${description.type}" is not supported`,
        metadata: { ...origin, type: description.type },
      }) as Error,
    );
  });

  test.each([
    ['ext4', 'loop'],
    ['ext4', 'offset=512'],
    ['xfs', 'X-containerd.mkfs.fs=xfs'],
    ['overlay', 'x-systemd.automount'],
  ])('%s with %s is refused: that is not for the kernel', (type, option) => {
    expect(() => parseStorageMounts([mount(type, 'ro', option)], origin)).toThrow(
      /container\/1.* ctd .* the option ".*" of type/,
    );
  });

  test.each([
    [[], 'no mount at all'],
    [[{ ...mount('ext4'), target: 'x' }], 'has a target'],
    [[mount('ext4', 'remount')], 'remount'],
    [[mount('bind', 'rbind', 'rshared')], 'propagation'],
  ])('%j is refused', (mounts, why) => {
    expect(() => parseStorageMounts(mounts, origin)).toThrow(why);
  });

  test('a field is named where there is no driver to name', () => {
    expect(() => parseStorageMounts([mount('ext4'), mount('nfs')], 'spec.root.mounts')).toThrow(
      'spec.root.mounts[1] cannot be mounted: the type "nfs" is not supported',
    );
  });
});

/** tmpfs has no such option; the others pass on what they do not know. */
function plain(description: MountDescription): MountDescription {
  return description.type === 'tmpfs' ? { ...description, options: [] } : description;
}
