import type { LogPlan } from '@teu/native';
import type { LogLimits } from '@teu/proto/executor';
import { teuError } from '@teu/errors';

const SEGMENT_BYTES_DEFAULT = 16 * 1024 * 1024;
const SEGMENT_BYTES_MIN = 64 * 1024;
const SEGMENT_COUNT_DEFAULT = 4;
/** Two files of at most 1 GiB. */
const TOTAL_BYTES_MAX = 2 * 1024 ** 3;
/** The supervisor keeps two files, so that is how many segments the asked-for bytes are put into. */
const FILES = 2;

/** Bounds of a log: the bytes asked for in all, in two segments. @throws INVALID_ARGUMENT outside of 128 KiB..2 GiB. */
export function planLog(limits: LogLimits | undefined, field: string): LogPlan {
  const bytes = limits?.segmentBytes || SEGMENT_BYTES_DEFAULT;
  const count = limits?.segmentCount || SEGMENT_COUNT_DEFAULT;
  if (bytes < SEGMENT_BYTES_MIN) throw limitError(`${field}.segment_bytes`, 'is less than 65536');
  if (count < FILES) throw limitError(`${field}.segment_count`, 'is less than 2');
  const total = bytes * count;
  if (total > TOTAL_BYTES_MAX) throw limitError(field, 'adds up to more than 2 GiB');
  return { maxFileBytes: Math.floor(total / FILES) };
}

function limitError(field: string, problem: string) {
  return teuError('INVALID_ARGUMENT', `${field} ${problem}`, { metadata: { field } });
}
