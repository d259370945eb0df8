import { expect, test } from 'vitest';
import { LayerDatasets } from './layer-datasets.js';
import { parseMountInfo } from '../mount-info.js';
import { pickZfsMounts } from './zfs-mounts.js';

test('mounts of both kinds of ZFS are found, and no others', () => {
  const text = [
    '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
    '90 22 0:52 / /var/lib/a\\040b/m/1 rw,relatime shared:7 - fuse.zfs pool/teu/1 rw,user_id=0',
    '91 22 0:53 / /tank rw,noatime - zfs tank rw,xattr,posixacl',
    '',
  ].join('\n');
  expect(pickZfsMounts(parseMountInfo(text))).toMatchObject([
    {
      dataset: 'pool/teu/1',
      mountPoint: '/var/lib/a b/m/1',
      type: 'fuse.zfs',
      device: '0:52',
    },
    { dataset: 'tank', mountPoint: '/tank', type: 'zfs', device: '0:53' },
  ]);
});

test('only names that the driver gives are layers', () => {
  const layers = new LayerDatasets('tank/data', '/var/lib/teu/zfs');
  expect(layers.dataset(37)).toBe('tank/data/teu/11');
  expect(layers.mountPoint(37)).toBe('/var/lib/teu/zfs/m/11');
  expect(layers.idOf('tank/data/teu/11')).toBe(37);
  const others = ['tank/data/teu', 'tank/data/teu/0', 'tank/data/teu/011', 'tank/data/teu/1/1'];
  for (const name of [...others, 'tank/data/teu/Z', 'tank/data/tea/1', '']) {
    expect(layers.idOf(name), name).toBeUndefined();
  }
});
