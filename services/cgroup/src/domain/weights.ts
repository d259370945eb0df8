const SHARES_MIN = 2;
const SHARES_MAX = 262_144;
const WEIGHT_MAX = 10_000;

/**
 * Converts cpu.shares (2 to 262144, default 1024) to cpu.weight (1 to 10000, default 100): the
 * quadratic in the logarithm that maps ends and defaults to each other, which OCI runtimes have used
 * since 2025 (crun 1.23, runc 1.4).
 */
export function weightOfShares(shares: number): number {
  if (shares <= SHARES_MIN) return 1;
  if (shares >= SHARES_MAX) return WEIGHT_MAX;
  const l = Math.log2(shares);
  return Math.ceil(10 ** ((l * l + 125 * l) / 612 - 7 / 34));
}

/**
 * The most shares that {@link weightOfShares} gives a weight; tells what is in force. The default of
 * one is the default of the other.
 */
export function sharesOfWeight(weight: number): number {
  let low = SHARES_MIN;
  let high = SHARES_MAX;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (weightOfShares(middle) > weight) high = middle - 1;
    else low = middle;
  }
  return low;
}

const BLOCK_IO_MIN = 10;
/** Steps of io.weight (1 to 10000) for one of blkio weight (10 to 1000). */
const STEPS = 9999 / 990;

/** Converts a blkio weight (10 to 1000) to io.weight (1 to 10000), linearly, as OCI runtimes do. */
export function ioWeightOf(weight: number): number {
  return 1 + Math.floor((weight - BLOCK_IO_MIN) * STEPS);
}

/** The blkio weight that {@link ioWeightOf} makes an io.weight of; tells what is in force. */
export function blockIoWeightOf(ioWeight: number): number {
  return BLOCK_IO_MIN + Math.ceil((ioWeight - 1) / STEPS);
}
