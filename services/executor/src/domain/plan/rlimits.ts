import type { RlimitPlan } from '@teu/native';
import type { PosixRlimit } from '@teu/proto/executor';
import { specError } from './spec-error.js';

/** Numbers of asm-generic/resource.h, the same on x86_64 and aarch64. */
const RLIMIT_NUMBERS: Readonly<Record<string, number>> = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
};
const NONE = -1;
const RLIM_INFINITY = 2n ** 64n - 1n;

/** Resource limits by number. @throws INVALID_SPEC for an unknown or repeated one, or a soft limit above the hard. */
export function planRlimits(limits: readonly PosixRlimit[], field: string): RlimitPlan[] {
  const seen = new Set<string>();
  return limits.map(({ type, soft, hard }, index) => {
    const at = `${field}[${index}]`;
    if (!Object.hasOwn(RLIMIT_NUMBERS, type)) throw specError(`${at}.type`, 'is not a known limit');
    if (seen.has(type)) throw specError(`${at}.type`, 'is there twice');
    seen.add(type);
    const plan = {
      resource: RLIMIT_NUMBERS[type] ?? 0,
      soft: limitValue(soft, `${at}.soft`),
      hard: limitValue(hard, `${at}.hard`),
    };
    if (plan.soft > plan.hard) throw specError(`${at}.soft`, 'is above the hard limit');
    return plan;
  });
}

function limitValue(value: number, field: string): bigint {
  if (value === NONE) return RLIM_INFINITY;
  if (value < 0) throw specError(field, 'is negative');
  return BigInt(value);
}
