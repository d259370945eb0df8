/**
 * Milliseconds of CLOCK_MONOTONIC (clock_gettime(2)). It counts from the boot of the machine, so that moments of an
 * earlier process of the same boot can be compared, and nobody sets it.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
