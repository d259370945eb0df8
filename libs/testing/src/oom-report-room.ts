import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { waitFor } from './wait-for.js';

/** The kernel reports ten kills for want of memory in five seconds, and only counts the others (mm/oom_kill.c). */
const WINDOW_US = 5_000_000;
/** Leaves room for tests that run beside this one. */
const REPORTS_MAX = 5;
const RECORD_BYTES = 16_384;

interface LogRecord {
  fromKernel: boolean;
  microseconds: number;
  text: string;
}

/**
 * Waits until the kernel would write a report of a kill for want of memory. For tests that look at causes: all
 * machines' tests share one allowance. Needs root.
 */
export async function oomReportRoom(): Promise<void> {
  await waitFor(() => recentReports() <= REPORTS_MAX, {
    timeoutMs: 60_000,
    intervalMs: 100,
  });
}

/** Number of reports within the kernel's window until now. */
function recentReports(): number {
  const fd = openSync('/dev/kmsg', constants.O_RDWR | constants.O_NONBLOCK);
  try {
    // Only the log itself says what time it is by its clock. Two: the last one need not be readable yet.
    for (let count = 0; count < 2; count += 1) writeSync(fd, 'teu: a test looks at the time\n');
    const records = readRecords(fd);
    const now = records.at(-1)?.microseconds ?? 0;
    return records.filter(
      ({ fromKernel, microseconds, text }) =>
        fromKernel && text.startsWith('oom-kill:') && now - microseconds < WINDOW_US,
    ).length;
  } finally {
    closeSync(fd);
  }
}

function readRecords(fd: number): LogRecord[] {
  const records: LogRecord[] = [];
  const buffer = Buffer.alloc(RECORD_BYTES);
  for (;;) {
    try {
      const length = readSync(fd, buffer);
      const raw = buffer.toString('latin1', 0, length);
      const [priority = '', , microseconds = ''] = raw.split(',', 3);
      records.push({
        fromKernel: Number(priority) < 8,
        microseconds: Number(microseconds),
        text: raw.slice(raw.indexOf(';') + 1),
      });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') return records;
      // Overwritten meanwhile: it goes on with the oldest that is left.
      if (code !== 'EPIPE') throw error;
    }
  }
}
