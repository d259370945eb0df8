import type { DevicePlan } from '@teu/native';
import type { LinuxDevice } from '@teu/proto/executor';
import { checkAbsolutePath, checkInteger } from './check-text.js';
import { specError } from './spec-error.js';

/** Twelve and twenty bits: dev_t of the kernel (linux/kdev_t.h). */
const MAJOR_MAX = 2 ** 12 - 1;
const MINOR_MAX = 2 ** 20 - 1;
const ID_MAX = 2 ** 31 - 1;

/** Device nodes to make. Whether they can be opened is the cgroup's device filter. */
export function planDevices(devices: readonly LinuxDevice[], field: string): DevicePlan[] {
  return devices.map((device, index) => {
    const at = `${field}[${index}]`;
    return {
      path: checkAbsolutePath(device.path, `${at}.path`),
      type: deviceType(device.type, `${at}.type`),
      major: checkInteger(device.major, 0, MAJOR_MAX, `${at}.major`),
      minor: checkInteger(device.minor, 0, MINOR_MAX, `${at}.minor`),
      mode: checkInteger(device.fileMode ?? 0o666, 0, 0o777, `${at}.file_mode`),
      uid: checkInteger(device.uid, 0, ID_MAX, `${at}.uid`),
      gid: checkInteger(device.gid, 0, ID_MAX, `${at}.gid`),
    };
  });
}

function deviceType(type: string, field: string): DevicePlan['type'] {
  if (type !== 'c' && type !== 'b' && type !== 'p') throw specError(field, 'is not c, b or p');
  return type;
}
