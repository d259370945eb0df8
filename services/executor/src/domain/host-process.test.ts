import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { expect, it } from 'vitest';
import { bootId, isAlive, killRecorded } from './host-process.js';

function recordOf(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid, startTicks: BigInt(fields[19] ?? 0), bootId: bootId() };
}

it('knows a process from a later one with its number, and from one of another boot (F22)', () => {
  const own = recordOf(process.pid);
  expect(isAlive(own)).toBe(true);
  expect(isAlive({ ...own, startTicks: own.startTicks + 1n })).toBe(false);
  expect(isAlive({ ...own, bootId: '00000000-0000-0000-0000-000000000000' })).toBe(false);
  expect(isAlive({ ...own, pid: 2 ** 22 })).toBe(false);
});

it('kills only the very process that was recorded', async () => {
  const child = spawn('/bin/sleep', ['1000']);
  const recorded = recordOf(child.pid ?? 0);
  killRecorded({ ...recorded, startTicks: recorded.startTicks - 1n });
  expect(isAlive(recorded)).toBe(true);
  killRecorded(recorded);
  const [, signal] = (await once(child, 'exit')) as [unknown, string];
  expect(signal).toBe('SIGKILL');
});
