import type * as Processes from 'node:child_process';
import { ChildProcess, spawn } from 'node:child_process';
import { silentLogger } from '@teu/log';
import { waitFor } from '@teu/testing';
import { expect, it, vi } from 'vitest';
import { WatchProgram } from './watch-program.js';

vi.mock('node:child_process', async (original) => {
  const module = await original<typeof Processes>();
  return { ...module, spawn: vi.fn(module.spawn) };
});

/** What Node gives where descriptors have run out. */
function withoutPipes(): ChildProcess {
  const child = new ChildProcess();
  process.nextTick(() => child.emit('error', new Error('spawn EMFILE')));
  return child;
}

it('is started again also after a start for which there were no descriptors or no memory', async () => {
  let restarts = 0;
  const program = new WatchProgram({
    log: silentLogger,
    args: () => ['kmsg=off', 'pressure=0,0,0'],
    onTold: () => undefined,
    onRestart: () => void (restarts += 1),
  });
  const first = program.pid!;
  vi.mocked(spawn)
    .mockImplementationOnce(withoutPipes)
    .mockImplementationOnce(() => {
      throw new Error('spawn ENOMEM');
    });
  process.kill(first, 'SIGKILL');
  await waitFor(() => restarts > 0, { timeoutMs: 20_000 });
  expect(program.pid).toBeGreaterThan(0);
  expect(program.pid).not.toBe(first);
  expect(restarts).toBe(1);
  await program.close();
});
