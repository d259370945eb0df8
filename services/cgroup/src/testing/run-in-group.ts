import type { CgroupMembership } from '@teu/proto/cgroup';
import { spawn, type ChildProcess } from 'node:child_process';

/** How a process ended and what it wrote to its standard output. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** A shell that joined a group before it ran its script. */
export interface GroupProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Files of a group into which a process writes 0 to join it. */
export function filesToJoin({ v1TasksPaths, v2Directory }: CgroupMembership): string[] {
  return [...v1TasksPaths, ...(v2Directory === '' ? [] : [`${v2Directory}/cgroup.procs`])];
}

/**
 * Runs a script of sh in a group.
 *
 * @param input - Descriptor of its standard input; nothing to read if not given.
 */
export function runInGroup(
  membership: CgroupMembership,
  script: string,
  input: number | 'ignore' = 'ignore',
): GroupProcess {
  const join = filesToJoin(membership)
    .map((path) => `echo 0 > ${path};`)
    .join(' ');
  const child = spawn('/bin/sh', ['-c', `${join} ${script}`], {
    stdio: [input, 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout?.on('data', (data: Buffer) => (output += data.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output }));
  });
  return { child, ended };
}
