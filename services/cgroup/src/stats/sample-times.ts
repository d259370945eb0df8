/**
 * Tells when the next sample of a stream is due. Streams of the same interval meet at the same moments, so that they
 * share what is read; so the first gap is between a half and one and a half intervals long, each after it is one. A reader who
 * took longer misses the moments meanwhile.
 *
 * @param nowMs - A clock that all streams have in common.
 * @returns Milliseconds on the same clock.
 */
export function nextSampleTime(nowMs: number, intervalMs: number): number {
  return Math.ceil((nowMs + intervalMs / 2) / intervalMs) * intervalMs;
}
