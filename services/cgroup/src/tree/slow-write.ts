import { spawn } from 'node:child_process';
import { nativeBinary } from '@teu/config';

/** A signal that never comes: for what has to be done whoever has given up. */
export const NO_SIGNAL = new AbortController().signal;

/**
 * Writes a file of a group while others are answered, however long the kernel takes: by teu-cgroup-write
 * (native/src/write), which starts in about 2 ms.
 *
 * @param signal - Ends the write where the kernel heeds signals, as it does while it frees memory. It is not known then
 *   whether it was done.
 * @throws an error with the `code` of the kernel, as writing it here does; the signal's reason
 */
export async function slowWrite(path: string, text: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(nativeBinary('teu-cgroup-write'), [path, text], {
    env: {},
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  let complaint = '';
  child.stderr.on('data', (data: Buffer) => (complaint += data.toString()));
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (status === 0) return;
    signal.throwIfAborted();
    throw failure(complaint);
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** @param complaint - "write EBUSY", the step and the name of the error. */
function failure(complaint: string): Error {
  const [step, code] = complaint.trim().split(' ');
  const error = new Error(`a limit cannot be written: ${complaint.trim().slice(0, 80)}`);
  return Object.assign(error, { code, syscall: step });
}
