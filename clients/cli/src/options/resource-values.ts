import {
  LinuxDeviceRule,
  type LinuxHugepageLimit,
  LinuxThrottleDevice,
  LinuxWeightDevice,
} from '@teu/proto/type';
import { UsageError } from '../cli-error.js';
import { parseBytes, parseWholeNumber } from './quantities.js';

/** Splits "DEVICE:VALUE" at the last colon. */
function splitDevice(text: string, option: string, example: string): [string, string] {
  const colon = text.lastIndexOf(':');
  const path = text.slice(0, Math.max(colon, 0));
  if (!path.startsWith('/')) {
    throw new UsageError(
      `invalid value "${text}" for ${option}`,
      `it is a block device and a value, for example ${example}`,
    );
  }
  return [path, text.slice(colon + 1)];
}

/** Reads "/dev/sda:1m", bytes per second. */
export function parseDeviceByteRate(text: string, option: string): LinuxThrottleDevice {
  const [path, rate] = splitDevice(text, option, '/dev/sda:1m');
  return LinuxThrottleDevice.create({ path, rate: parseBytes(rate, option) });
}

/** Reads "/dev/sda:100", operations per second. */
export function parseDeviceRate(text: string, option: string): LinuxThrottleDevice {
  const [path, rate] = splitDevice(text, option, '/dev/sda:100');
  const most = 2 ** 32 - 1;
  return LinuxThrottleDevice.create({ path, rate: parseWholeNumber(rate, option, 0, most) });
}

/** Reads "/dev/sda:500". */
export function parseDeviceWeight(text: string): LinuxWeightDevice {
  const option = '--blkio-weight-device';
  const [path, weight] = splitDevice(text, option, '/dev/sda:500');
  return LinuxWeightDevice.create({ path, weight: parseWholeNumber(weight, option, 10, 1000) });
}

/** Reads a rule of the devices controller: "c 1:3 rwm", "b *:* r", "a *:* rwm". */
export function parseDeviceRule(text: string): LinuxDeviceRule {
  const match = /^([abc]) (\d{1,9}|\*):(\d{1,9}|\*) ([rwm]{1,3})$/.exec(text.trim());
  if (match === null) {
    throw new UsageError(
      `invalid value "${text}" for --device-cgroup-rule`,
      'it is a type, numbers and access, for example "c 10:229 rw" or "b 8:* r"',
    );
  }
  const [, type, major, minor, access] = match;
  const number = (digits = '*'): number | undefined =>
    digits === '*' ? undefined : Number(digits);
  return LinuxDeviceRule.create({
    allow: true,
    type: type ?? 'a',
    major: number(major),
    minor: number(minor),
    access: access ?? '',
  });
}

/** Reads "2MB=64m". */
export function parseHugepageLimit(text: string): LinuxHugepageLimit {
  const [, pageSize, limit] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (pageSize === undefined || limit === undefined) {
    throw new UsageError(
      `invalid value "${text}" for --hugetlb-limit`,
      'it is a size of pages and bytes, for example 2MB=64m',
    );
  }
  return { pageSize, limit: parseBytes(limit, '--hugetlb-limit') };
}

/** Reads entries "FILE=VALUE", for example "memory.oom.group=1". */
export function parseUnified(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const [, file, text] = /^([^=]+)=([^]*)$/.exec(entry) ?? [];
      if (file !== undefined && text !== undefined) return [file, text];
      throw new UsageError(
        `invalid value "${entry}" for --cgroup-option`,
        'it is a file and a value, for example memory.oom.group=1',
      );
    }),
  );
}
