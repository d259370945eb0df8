import type { LaunchPlan, NamespacesPlan } from '@teu/native';
import type { LinuxTimeOffset } from '@teu/proto/executor';
import { checkInteger } from './check-text.js';
import { specError } from './spec-error.js';

const NANOS_PER_SECOND = 1_000_000_000n;
/** A century: the kernel refuses offsets that would bring a clock near its end. */
const SECONDS_MAX = 100 * 365 * 24 * 3600;

/** Offsets of the new time namespace's clocks; null for none. */
export function planTimeOffsets(
  offsets: Readonly<Record<string, LinuxTimeOffset>>,
  namespaces: NamespacesPlan,
  field: string,
): LaunchPlan['timeOffsets'] {
  const names = Object.keys(offsets);
  if (names.length === 0) return null;
  if (names.some((name) => name !== 'monotonic' && name !== 'boottime')) {
    throw specError(field, 'names a clock other than monotonic and boottime');
  }
  if (namespaces.time.kind !== 'new') {
    throw specError(field, 'is set, but the container has no new time namespace');
  }
  return {
    monotonicNs: offsetNanos(offsets['monotonic'], `${field}.monotonic`),
    boottimeNs: offsetNanos(offsets['boottime'], `${field}.boottime`),
  };
}

function offsetNanos(offset: LinuxTimeOffset | undefined, field: string): bigint {
  if (offset === undefined) return 0n;
  const seconds = checkInteger(offset.secs, -SECONDS_MAX, SECONDS_MAX, `${field}.secs`);
  const nanos = checkInteger(offset.nanosecs, 0, 999_999_999, `${field}.nanosecs`);
  return BigInt(seconds) * NANOS_PER_SECOND + BigInt(nanos);
}
