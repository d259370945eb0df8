import { readdirSync, readFileSync } from 'node:fs';

const INTERVAL_MS = 100;

/**
 * Looks now and then at what memory processes and their descendants have, each mapped page counted in each, until it
 * is told to stop; then gives the most that was seen, in bytes.
 */
export function watchMemory(pids: () => number[]): () => number {
  let peak = 0;
  const look = (): void => {
    const total = withDescendants(pids()).reduce((sum, pid) => sum + residentBytes(pid), 0);
    peak = Math.max(peak, total);
  };
  const timer = setInterval(look, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

function withDescendants(roots: readonly number[]): number[] {
  const found = new Set(roots);
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(Number(name))] as const),
  );
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** Field 4 of /proc/PID/stat; the name in field 2 may hold blanks and parentheses. */
function parentOf(pid: number): number {
  const text = read(`/proc/${String(pid)}/stat`);
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1] ?? -1);
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${String(pid)}/status`))?.[1] ?? 0) * 1024;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
