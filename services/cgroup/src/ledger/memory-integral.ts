/** Memory in use at one moment, and what it came to until then. */
export interface MemorySample {
  /** Boot clock, milliseconds. */
  readonly atMs: number;
  readonly bytes: number;
  /** Byte-seconds from the start to this moment. */
  readonly byteSeconds: number;
}

/** A sample as it would have been at a later moment, if memory in use has stayed the same. */
export function extended(sample: MemorySample, atMs: number): MemorySample {
  const { bytes } = sample;
  if (atMs <= sample.atMs) return sample;
  return { atMs, bytes, byteSeconds: sample.byteSeconds + ((atMs - sample.atMs) / 1000) * bytes };
}

/** Most samples that are kept, whatever is not known: of a run, some tens of kilobytes. */
const SAMPLES_KEPT = 512;
/** A peak that is so much higher than every sample was reached where no sample was taken. */
const UNSEEN_RATIO = 1.25;
/** A slow machine frees memory no slower: 64 MiB in 64 ms. */
const SLOWEST_FREEING = 2 ** 20;

/**
 * Memory in use times time, of one run. Between two samples memory is taken to change evenly, before the first to
 * have been what that says, after the last to stay.
 */
export class MemoryIntegral {
  readonly #startMs: number;
  /** The newest samples, in their order: a run may have ended before the last ones were taken. */
  readonly #samples: MemorySample[] = [];
  /** Whether the first of them is not the first that there was. */
  #isTrimmed = false;
  #highest = 0;

  /**
   * @param startMs begin of the run, boot clock
   * @param last what an earlier process has taken
   */
  constructor(startMs: number, last?: MemorySample) {
    this.#startMs = startMs;
    if (last === undefined) return;
    this.#samples.push(last);
    this.#isTrimmed = true;
    this.#highest = last.bytes;
  }

  /** The newest sample. */
  get last(): MemorySample | undefined {
    return this.#samples.at(-1);
  }

  /** Highest of the samples, in bytes. */
  get highest(): number {
    return this.#highest;
  }

  get startMs(): number {
    return this.#startMs;
  }

  /** Takes a sample in. One that is not later than the one before is passed over. */
  add(atMs: number, bytes: number): void {
    const { last } = this;
    if (last !== undefined && atMs <= last.atMs) return;
    const stretchMs = Math.max(atMs - (last?.atMs ?? this.#startMs), 0);
    const stretch = (stretchMs / 1000) * ((bytes + (last?.bytes ?? bytes)) / 2);
    this.#samples.push({ atMs, bytes, byteSeconds: (last?.byteSeconds ?? 0) + stretch });
    if (this.#samples.length > SAMPLES_KEPT) this.#trim(1);
    this.#highest = Math.max(this.#highest, bytes);
  }

  /** The run has not ended now: of its samples only the last makes a difference from here on. */
  goesOn(): void {
    this.#trim(this.#samples.length - 1);
  }

  /** Byte-seconds up to a moment not before the last sample. */
  now(atMs: number): number {
    const { last } = this;
    if (last === undefined) return 0;
    return last.byteSeconds + (Math.max(atMs - last.atMs, 0) / 1000) * last.bytes;
  }

  /**
   * Byte-seconds of a run that has ended; samples that were taken after its end do not count.
   *
   * A run of which the first sample was taken after its end counts with its peak for all of it. Where samples of its
   * time are not kept any more, memory from its end to the first that is kept counts as that says, and is taken off. If the peak is far above all samples and
   * what it was before, memory rose where nobody looked, most likely at the end: the time since the last sample counts
   * with the mean of that and the peak. Else what the end has freed was freed at once, or evenly since the last sample:
   * it counts with the mean of both.
   *
   * @param endMs boot clock
   * @param peak bytes; 0 if it is not known
   * @param earlierPeak what the peak was known to be before
   * @param rest bytes in use after the end; if it is not known, nothing was freed
   */
  total(endMs: number, peak: number, earlierPeak: number, rest = Infinity): number {
    const last = this.#samples.findLast(({ atMs }) => atMs <= endMs);
    const lengthMs = Math.max(endMs - this.#startMs, 0);
    if (last === undefined) return this.#before(endMs) ?? (lengthMs / 1000) * peak;
    const isUnseen = peak > Math.max(this.#highest, earlierPeak) * UNSEEN_RATIO;
    const sinceMs = endMs - last.atMs;
    if (isUnseen) return last.byteSeconds + (sinceMs / 1000) * ((last.bytes + peak) / 2);
    const freed = Math.max(last.bytes - rest, 0);
    const freeingMs = Math.min(sinceMs, freed / SLOWEST_FREEING);
    // Freed evenly over that time, half of it does not count; freed at once, all of it does.
    const notInUse = ((freeingMs / 1000) * freed) / 4;
    return last.byteSeconds + (sinceMs / 1000) * last.bytes - notInUse;
  }

  /** Byte-seconds up to a moment before the samples that are kept; undefined if there never was one before it. */
  #before(endMs: number): number | undefined {
    const [first] = this.#samples;
    if (first === undefined || !this.#isTrimmed) return undefined;
    const after = ((first.atMs - endMs) / 1000) * first.bytes;
    return Math.max(first.byteSeconds - after, 0);
  }

  #trim(count: number): void {
    if (count <= 0) return;
    this.#samples.splice(0, count);
    this.#isTrimmed = true;
  }
}
