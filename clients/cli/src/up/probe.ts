import { connect as connectSocket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { clock } from '@teu/ids';
import { checkHealth, connect } from '@teu/rpc';

const pollMs = 15;

/** Whether somebody listens at a unix socket or at a port of 127.0.0.1. */
export function isListening(target: { path: string } | { port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket('port' in target ? { ...target, host: '127.0.0.1' } : target);
    const answer = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => {
      answer(true);
    });
    socket.once('error', () => {
      answer(false);
    });
  });
}

/** Tries until the probe says yes. Returns false when the time is over or the signal aborts. */
export async function waitUntil(
  probe: () => Promise<boolean>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = clock.monotonicMs() + timeoutMs;
  while (!(await probe())) {
    if (signal.aborted || clock.monotonicMs() > deadline) return false;
    await delay(pollMs);
  }
  return true;
}

/** What a service says of its health: SERVING, NOT_SERVING …, or "unreachable". */
export async function serviceHealth(socket: string, timeoutMs: number): Promise<string> {
  // A channel that finds nobody waits a second before it tries again; a socket tells at once.
  if (!(await isListening({ path: socket }))) return 'unreachable';
  const channel = connect(`unix:${socket}`);
  try {
    return await checkHealth(channel, '', { timeoutMs });
  } catch {
    return 'unreachable';
  } finally {
    channel.close();
  }
}
