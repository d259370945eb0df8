import { setTimeout as delay } from 'node:timers/promises';
import { clock } from '@teu/ids';
import { isAlive, signalProcess, type ProcessIdentity } from './process-identity.js';

const pollMs = 10;

/** Waits until a process is gone, or the time is over. Returns whether it is gone. */
export async function waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = clock.monotonicMs() + timeoutMs;
  while (isAlive(identity)) {
    if (clock.monotonicMs() > deadline) return false;
    await delay(pollMs);
  }
  return true;
}

/** Asks a process that may not be our child to end, and kills it after the grace. */
export async function stopProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  if (!signalProcess(identity, 'SIGTERM')) return;
  if (await waitForEnd(identity, graceMs)) return;
  signalProcess(identity, 'SIGKILL');
  await waitForEnd(identity, 2000);
}
