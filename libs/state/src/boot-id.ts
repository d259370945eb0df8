import { readFileSync } from 'node:fs';

let cached: string | undefined;

/** UUID of this boot of the machine (/proc/sys/kernel/random/boot_id, see random(4)). */
export function bootId(): string {
  cached ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return cached;
}
