import { readFileSync } from 'node:fs';
import { childrenOf } from './corpus-stand.js';

/** Bytes that processes have had in memory at most. */
export interface PeakMemory {
  service: number;
  /** Of the largest program that the service has started. */
  worker: number;
}

const SAMPLE_MS = 2;

/**
 * Runs work and watches what it costs. The kernel keeps the most that a process had (proc(5), VmHWM); it is read every few
 * milliseconds, so that what a worker takes in its last moment is not seen.
 */
export async function watchMemory<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ result: T; peak: PeakMemory }> {
  const peak: PeakMemory = { service: 0, worker: 0 };
  const look = (): void => {
    peak.service = Math.max(peak.service, residentBytes(pid));
    for (const child of childrenOf(pid)) peak.worker = Math.max(peak.worker, highWater(child));
  };
  look();
  const timer = setInterval(look, SAMPLE_MS);
  try {
    return { result: await work(), peak };
  } finally {
    clearInterval(timer);
  }
}

/** Bytes that a process has in memory now. */
export function residentBytes(pid: number): number {
  return fieldOf(statusOf(String(pid)), 'VmRSS');
}

/** Of a child that has not become its program yet, nothing: until then it is a copy of the service. */
function highWater(pid: string): number {
  const status = statusOf(pid);
  return /^Name:\s+teu-/.test(status) ? fieldOf(status, 'VmHWM') : 0;
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    // It has ended.
    return '';
  }
}

function fieldOf(status: string, name: string): number {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  return Number(kibibytes ?? 0) * 1024;
}
