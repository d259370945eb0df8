import type { Duration } from '@teu/proto/google';

/** Milliseconds, possibly fractional, as a protobuf duration. */
export function durationFromMs(ms: number): Duration {
  const nanos = Math.round(ms * 1e6);
  return { seconds: Math.trunc(nanos / 1e9), nanos: nanos % 1e9 };
}

/** A protobuf duration in milliseconds; undefined stays undefined. */
export function msFromDuration(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : duration.seconds * 1000 + duration.nanos / 1e6;
}
