const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

function scaled(bytes: number, step: number, units: readonly string[]): string {
  let value = bytes;
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  return `${String(Number(value.toPrecision(3)))} ${units[unit] ?? ''}`;
}

/** Size of something stored, in powers of 1000: "4.26 MB". */
export function storedSize(bytes: number): string {
  return scaled(bytes, 1000, decimalUnits).replace(' ', '');
}

/** Size of a limit, in powers of 1024, as limits are given: "64 MiB". */
export function memorySize(bytes: number): string {
  return scaled(bytes, 1024, binaryUnits);
}

const spans: readonly (readonly [limit: number, seconds: number, one: string, many: string])[] = [
  [60, 1, '1 second', 'seconds'],
  [120, 60, 'About a minute', 'minutes'],
  [3600, 60, 'About a minute', 'minutes'],
  [7200, 3600, 'About an hour', 'hours'],
  [172_800, 3600, 'About an hour', 'hours'],
  [1_209_600, 86_400, '1 day', 'days'],
  [5_184_000, 604_800, '1 week', 'weeks'],
  [63_072_000, 2_592_000, '1 month', 'months'],
  [Number.POSITIVE_INFINITY, 31_536_000, '1 year', 'years'],
];

/** A span of time in docker's words: "Less than a second", "3 minutes", "2 weeks". */
export function timeSpan(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return 'Less than a second';
  for (const [limit, unit, one, many] of spans) {
    if (seconds >= limit) continue;
    const count = Math.floor(seconds / unit);
    return count === 1 ? one : `${String(count)} ${many}`;
  }
  return '';
}

/** How long ago something was: "3 minutes ago"; empty without a time. */
export function timeAgo(time: Date | undefined, now: Date): string {
  return time === undefined ? '' : `${timeSpan(now.getTime() - time.getTime())} ago`;
}

/** Text cut to a length, with an ellipsis in place of what is missing. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** The first 12 digits of an id, without the name of its digest. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
