import type { LogRecord } from '@teu/native';

const NEWLINE = 10;

/**
 * The records that hold the last lines, the first of them cut where the first line begins. What comes after the last
 * newline counts as a line. Keeps only as many records in memory as it may still need.
 */
export async function tailOfLog(
  records: AsyncIterable<LogRecord>,
  lineCount: number,
): Promise<LogRecord[]> {
  if (lineCount === 0) return [];
  const kept: { record: LogRecord; newlines: number }[] = [];
  let newlines = 0;
  for await (const record of records) {
    const entry = { record, newlines: countNewlines(record.data) };
    kept.push(entry);
    newlines += entry.newlines;
    // The newline that ends the line before the first wanted one has to stay.
    while (newlines - (kept[0]?.newlines ?? 0) > lineCount) newlines -= kept.shift()?.newlines ?? 0;
  }
  const last = kept.at(-1)?.record.data.at(-1);
  const lines = newlines + (last === undefined || last === NEWLINE ? 0 : 1);
  return dropLines(
    kept.map(({ record }) => record),
    lines - lineCount,
  );
}

function dropLines(records: LogRecord[], count: number): LogRecord[] {
  let left = count;
  const rest = [...records];
  while (left > 0) {
    const [first] = rest;
    if (first === undefined) break;
    const newlines = countNewlines(first.data);
    if (newlines < left || (newlines === left && first.data.at(-1) === NEWLINE)) {
      left -= newlines;
      rest.shift();
      continue;
    }
    rest[0] = { ...first, data: first.data.subarray(afterNewline(first.data, left)) };
    left = 0;
  }
  return rest;
}

function afterNewline(data: Buffer, count: number): number {
  let at = 0;
  for (let index = 0; index < count; index += 1) at = data.indexOf(NEWLINE, at) + 1;
  return at;
}

function countNewlines(data: Buffer): number {
  let count = 0;
  for (let at = data.indexOf(NEWLINE); at !== -1; at = data.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
