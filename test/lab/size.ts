const UNITS = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 } as const;

/** Reads a size such as "512m" or "8g" into bytes; undefined for what is none. */
export function parseSize(text: string): number | undefined {
  const match = /^([1-9]\d{0,11})([kmg]?)$/i.exec(text);
  if (match === null) return undefined;
  const unit = (match[2] ?? '').toLowerCase() as keyof typeof UNITS;
  return Number(match[1]) * UNITS[unit];
}
