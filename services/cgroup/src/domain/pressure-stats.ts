import type { Pressure, PressureFigures, PressureStats } from '@teu/proto/cgroup';
import { nextLine, parseAssigned, type FileText } from './file-text.js';
import { durationOf, type FigureFiles } from './stats.js';

const NANOSECONDS_OF_MICROSECOND = 1000;

/**
 * Waiting for resources (psi.rst); undefined if the kernel does not tell. Of version 2, but such a tree has it for all
 * that is in it, whatever version its controllers are on.
 */
export function pressureStats(files: FigureFiles): PressureStats | undefined {
  const cpu = pressureIn(files.read('cpu.pressure'));
  const memory = pressureIn(files.read('memory.pressure'));
  const io = pressureIn(files.read('io.pressure'));
  if (cpu === undefined && memory === undefined && io === undefined) return undefined;
  return { cpu, memory, io };
}

/** Two lines, "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" and "full ..."; that of cpu is missing before 5.13. */
function pressureIn(text: FileText | undefined): Pressure | undefined {
  if (text === undefined || text.length === 0) return undefined;
  const second = nextLine(text, 0);
  return {
    some: figuresAt(text, 0),
    full: second < text.length ? figuresAt(text, second) : undefined,
  };
}

function figuresAt(text: FileText, from: number): PressureFigures {
  const [avg10 = 0, avg60 = 0, avg300 = 0, total = 0] = parseAssigned(text, from);
  return { avg10, avg60, avg300, totalDuration: durationOf(total * NANOSECONDS_OF_MICROSECOND) };
}

/** Whether nobody has waited lately, so that all averages are 0; they change by themselves otherwise. */
export function isCalm(pressure: PressureStats | undefined): boolean {
  return [pressure?.cpu, pressure?.memory, pressure?.io].every(
    (resource) => areZero(resource?.some) && areZero(resource?.full),
  );
}

function areZero(figures: PressureFigures | undefined): boolean {
  return (
    figures === undefined || (figures.avg10 === 0 && figures.avg60 === 0 && figures.avg300 === 0)
  );
}
