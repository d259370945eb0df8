import { ContainerSpec } from '@teu/proto/engine';
import { expect, it } from 'vitest';
import { cgroupResources, deviceNodes } from './host-devices.js';

const specOf = (parts: Parameters<typeof ContainerSpec.fromPartial>[0]) =>
  ContainerSpec.fromPartial(parts);

it('makes a node of a device of the host, and allows its use before what rules say', () => {
  const rule = { allow: false, type: 'c', major: 1, minor: 3, access: 'w' };
  const spec = specOf({
    devices: [{ pathOnHost: '/dev/null', pathInContainer: '/dev/void', access: 'rw' }],
    resources: { devices: [rule], pids: { limit: 5 } },
  });
  expect(deviceNodes(spec)).toMatchObject([
    { path: '/dev/void', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 },
  ]);
  expect(cgroupResources(spec)).toMatchObject({
    devices: [{ allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }, rule],
    pids: { limit: 5 },
  });
  const same = specOf({ devices: [{ pathOnHost: '/dev/zero' }] });
  expect(deviceNodes(same)[0]?.path).toBe('/dev/zero');
  expect(cgroupResources(same)?.devices[0]?.access).toBe('rwm');
});

it.each(['/nothing', '/etc', '/etc/passwd'])('%s is no device', (pathOnHost) => {
  const spec = specOf({ devices: [{ pathOnHost }] });
  expect(() => deviceNodes(spec)).toThrow('spec.devices[0].path_on_host is');
  expect(() => cgroupResources(spec)).toThrow('no device node');
});
