/** Reads a file of lines "key value" (flat keyed files of cgroup-v2.rst; version 1 has the same). */
export function parseKeyed(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [key, value] = line.trim().split(/\s+/);
    if (key !== undefined && value !== undefined) values.set(key, Number(value));
  }
  return values;
}

/** Reads a file with one number; "max", and what no machine can reach, is -1. */
export function parseNumber(text: string): number {
  const trimmed = text.trim();
  const value = Number(trimmed);
  return trimmed === 'max' || value > Number.MAX_SAFE_INTEGER ? -1 : value;
}
