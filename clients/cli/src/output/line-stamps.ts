import type { LogRecord } from '@teu/proto/executor';

const lineFeed = 0x0a;

/** Puts the time before each line of output; a line may come in several pieces. */
export class LineStamps {
  readonly #insideLine = new Set<number>();

  /** Returns the record's bytes with a time at the beginning of each line. */
  stamp(record: LogRecord): Uint8Array {
    const prefix = Buffer.from(`${rfc3339Nano(record.unixMicros)} `);
    const pieces: Uint8Array[] = [];
    let begin = 0;
    while (begin < record.data.length) {
      const feed = record.data.indexOf(lineFeed, begin);
      const end = feed < 0 ? record.data.length : feed + 1;
      if (!this.#insideLine.has(record.stream)) pieces.push(prefix);
      pieces.push(record.data.subarray(begin, end));
      if (feed < 0) this.#insideLine.add(record.stream);
      else this.#insideLine.delete(record.stream);
      begin = end;
    }
    return Buffer.concat(pieces);
  }
}

/** Time with nine digits of a second, as docker prints it; the log keeps six. */
export function rfc3339Nano(unixMicros: number): string {
  const seconds = Math.floor(unixMicros / 1e6);
  const nanos = String((unixMicros - seconds * 1e6) * 1000).padStart(9, '0');
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${nanos}Z`;
}
