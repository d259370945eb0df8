import process from 'node:process';
import { parseFailpoints, type ArmedFailpoint, type FailpointAction } from './parse-failpoints.js';

/** First parts of all names; a name that begins with none of them is a mistake in every process. */
const PROJECTS = ['engine', 'image', 'storage', 'cgroup', 'executor', 'cli', 'test'] as const;
export type FailpointProject = (typeof PROJECTS)[number];

/** The error of a point armed with `error`. */
export class FailpointError extends Error {
  override readonly name = 'FailpointError';
}

/** EX_SOFTWARE of sysexits.h; no service ends with it otherwise. */
const EXIT_CODE = 70;

const armed = new Map<string, ArmedFailpoint>();
const passages = new Map<string, number>();

/**
 * Declares all points of a project, in its src/failpoints.ts, and arms those that TEU_FAILPOINTS
 * asks for. Without that variable nothing can be armed. Gives the names, for the test that crashes
 * at each.
 * @throws Error at a malformed entry, or one that names no point of this project, or no project
 */
export function defineFailpoints<const Names extends readonly string[]>(
  project: FailpointProject,
  names: Names,
  specification: string | undefined = process.env['TEU_FAILPOINTS'],
): Names {
  for (const entry of parseFailpoints(specification ?? '')) {
    const owner = entry.name.split('.', 1)[0] ?? '';
    if (!PROJECTS.some((known) => known === owner)) {
      throw new Error(`TEU_FAILPOINTS: "${entry.name}" begins with no project's name`);
    }
    if (owner !== project) continue;
    if (!names.includes(entry.name)) {
      throw new Error(`TEU_FAILPOINTS: ${project} has no failpoint "${entry.name}"`);
    }
    armed.set(entry.name, entry);
  }
  return names;
}

/**
 * A place where a test can make the process end, fail or wait. Costs one look at an empty map when
 * nothing is armed.
 * @throws FailpointError if it is armed with `error`
 */
export function failpoint(name: string): void {
  if (armed.size === 0) return;
  const point = armed.get(name);
  if (!point) return;
  const passage = (passages.get(name) ?? 0) + 1;
  passages.set(name, passage);
  if (passage >= point.from) act(name, point.action);
}

function act(name: string, action: FailpointAction): void {
  switch (action.kind) {
    case 'exit':
      process.exit(EXIT_CODE);
      break;
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      // The signal is on its way; nothing may happen after this line.
      sleep(10_000);
      break;
    case 'error':
      throw new FailpointError(`failpoint ${name}`);
    case 'delay':
      sleep(action.ms);
      break;
  }
}

/** Stops this thread. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
