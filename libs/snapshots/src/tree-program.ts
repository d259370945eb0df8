import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { nativeBinary } from '@teu/config';

/** Most of what the program says about a failure that is kept. */
const COMPLAINT_BYTES = 16 * 1024;
/** Exit status for a manifest that is not whole (native/src/tree/README.md). */
const DAMAGED_MANIFEST = 3;

/** How a run of teu-tree can be set up. */
export interface TreeRun {
  readonly signal?: AbortSignal | undefined;
  /** Text for its standard input. */
  readonly input?: string;
  /** Descriptor for its standard output; its lines are returned without. */
  readonly outputFd?: number;
}

/** teu-tree could not do what it was asked for. */
export class TreeProgramError extends Error {
  override readonly name = 'TreeProgramError';
  /** Name of the errno, for example "ENOSPC"; as with Node's own errors. */
  readonly code: string | undefined;
  /** Whether the manifest is not whole, or missing. */
  readonly isManifestDamaged: boolean;

  constructor(args: readonly string[], status: number | string | null, complaint: string) {
    const { message, step, errnoName } = parseComplaint(complaint);
    super(`teu-tree ${args[0] ?? ''} ended with ${status ?? 'nothing'}: ${step}: ${message}`);
    this.code = errnoName === '' ? undefined : errnoName;
    this.isManifestDamaged = status === DAMAGED_MANIFEST;
    this.reason = message;
  }

  /** What it said, for people; without paths. */
  readonly reason: string;
}

/**
 * Runs teu-tree and gives its lines as they come. Ends it when the caller stops reading or the signal
 * aborts. It goes to work in a process of its own, because a walk of a large tree would hold up others.
 *
 * @throws TreeProgramError after the lines, if it failed; the signal's reason if that aborted
 */
export async function* treeLines(
  args: readonly string[],
  { signal, input, outputFd }: TreeRun = {},
): AsyncGenerator<string, void, undefined> {
  signal?.throwIfAborted();
  const child = spawn(nativeBinary('teu-tree'), args, {
    env: {},
    cwd: '/',
    stdio: ['pipe', outputFd ?? 'pipe', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, name) => resolve(code ?? name));
  });
  // Looked at below, but a failed spawn may come first.
  ended.catch(() => undefined);
  let complaint = '';
  child.stderr?.on('data', (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(0, COMPLAINT_BYTES);
  });
  // It may end before it has read all, and says why by itself.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input ?? '');
  try {
    if (child.stdout !== null) yield* createInterface({ input: child.stdout });
    const status = await ended;
    signal?.throwIfAborted();
    if (status !== 0) throw new TreeProgramError(args, status, complaint);
  } finally {
    kill();
    signal?.removeEventListener('abort', kill);
    // It lets go of the tree before anyone goes on to remove it.
    await ended.catch(() => undefined);
  }
}

/** Runs teu-tree for its last line; "" if it printed none. @throws as `treeLines` */
export async function runTree(args: readonly string[], run: TreeRun = {}): Promise<string> {
  let last = '';
  for await (const line of treeLines(args, run)) last = line;
  return last;
}

/** The failure is its last line, one of JSON. */
function parseComplaint(text: string): { message: string; step: string; errnoName: string } {
  const unknown = { message: text.trim(), step: 'run', errnoName: '' };
  try {
    const line = text.trimEnd().split('\n').at(-1) ?? '';
    return { ...unknown, ...(JSON.parse(line) as Partial<typeof unknown>) };
  } catch {
    return unknown;
  }
}
