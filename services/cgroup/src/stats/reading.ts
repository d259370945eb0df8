import { Stats, StatsEntry } from '@teu/proto/cgroup';

/** Whose figures they are. */
export type Identity = Omit<StatsEntry, 'stats'>;

const NO_FIGURES = {
  cpu: undefined,
  memory: undefined,
  pids: undefined,
  io: undefined,
  pressure: undefined,
};
/** Field 4 of StatsEntry, of type message. */
const STATS_TAG = 0x22;

/**
 * The figures of one container or group at one moment, as an entry of a stream. It is encoded once, however many read
 * it, and of what is as it was in the reading before, only the time is encoded anew.
 */
export class Reading implements StatsEntry {
  readonly containerId: string;
  readonly name: string;
  readonly group: string;
  readonly stats: Stats;
  /** When it was made, on the clock of the streams. */
  readonly readMs: number;
  #identityBytes: Uint8Array | undefined;
  #figureBytes: Uint8Array | undefined;

  constructor(
    { containerId, name, group }: Identity,
    stats: Stats,
    readMs: number,
    before?: Reading,
  ) {
    this.containerId = containerId;
    this.name = name;
    this.group = group;
    this.stats = stats;
    this.readMs = readMs;
    if (before === undefined) return;
    if (before.name === name && before.group === group) this.#identityBytes = before.#identityBytes;
    if (haveSameFigures(before.stats, stats)) this.#figureBytes = before.#figureBytes;
  }

  /** The entry on the wire, in parts. */
  encoded(): readonly Uint8Array[] {
    const { containerId, name, group, stats } = this;
    this.#identityBytes ??= StatsEntry.encode({
      containerId,
      name,
      group,
      stats: undefined,
    }).finish();
    this.#figureBytes ??= Stats.encode({ ...stats, readTime: undefined }).finish();
    const time = encodedTime(stats.readTime);
    const statsHead = lengthHead(STATS_TAG, time.length + this.#figureBytes.length);
    return [this.#identityBytes, statsHead, time, this.#figureBytes];
  }
}

/** A tag of one byte and a length, as they come before each field of bytes. */
export function lengthHead(tag: number, length: number): Uint8Array {
  const head = [tag];
  for (let rest = length; ; rest >>>= 7) {
    if (rest < 0x80) {
      head.push(rest);
      return Uint8Array.from(head);
    }
    head.push((rest & 0x7f) | 0x80);
  }
}

let lastTime: { ms: number; bytes: Uint8Array } | undefined;

/** Many readings are made in the same millisecond. */
function encodedTime(readTime: Date | undefined): Uint8Array {
  if (readTime === undefined) return Uint8Array.of();
  const ms = readTime.getTime();
  if (lastTime?.ms !== ms) {
    lastTime = { ms, bytes: Stats.encode({ readTime, ...NO_FIGURES }).finish() };
  }
  return lastTime.bytes;
}

/** Parts that did not change are the same objects. */
function haveSameFigures(a: Stats, b: Stats): boolean {
  return (
    a.cpu === b.cpu &&
    a.memory === b.memory &&
    a.pids === b.pids &&
    a.io === b.io &&
    a.pressure === b.pressure
  );
}
