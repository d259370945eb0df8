import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from './contender.js';
import { capture, runToEnd } from '../harness/process.js';

/** A bare OCI runtime on an unpacked directory: no engine, no image, no snapshot. */
export async function ociRuntime(
  program: 'runc' | 'crun',
  directory: string,
  rootfs: string,
): Promise<Contender> {
  mkdirSync(directory, { recursive: true });
  capture(program, ['spec', '--bundle', directory]);
  const file = join(directory, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as {
    process: { terminal: boolean; args: string[] };
    root: { path: string; readonly: boolean };
  };
  config.process.terminal = false;
  config.process.args = ['true'];
  config.root = { path: rootfs, readonly: true };
  writeFileSync(file, JSON.stringify(config));
  const state = join(directory, 'state');
  let count = 0;
  return {
    name: program,
    how: `${program} run, on a directory`,
    run: () =>
      runToEnd(program, [
        ...['--root', state, 'run', '--bundle', directory],
        `bench-${program}-${String((count += 1))}`,
      ]),
    close: async () => undefined,
  };
}
