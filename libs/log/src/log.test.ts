import { closeSync, openSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { teuError } from '@teu/errors';
import { descriptorDestination } from './create-logger.js';
import { createLogger, silentLogger } from './index.js';

function capture(): { lines: () => Record<string, unknown>[]; write: (line: string) => void } {
  const written: string[] = [];
  return {
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
    write: (line) => void written.push(line),
  };
}

test('writes one JSON object a line, with its context', () => {
  const out = capture();
  const log = createLogger({ service: 'engine', destination: out });
  log.info({ container_id: 'c' }, 'started');
  log.child({ rpc: 'Run' }).warn('slow');
  expect(out.lines()).toMatchObject([
    { service: 'engine', level: 'info', container_id: 'c', msg: 'started', pid: process.pid },
    { service: 'engine', level: 'warn', rpc: 'Run', msg: 'slow' },
  ]);
  expect(String(out.lines()[0]?.['time'])).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
});

test('writes an error as its chain', () => {
  const out = capture();
  const log = createLogger({ service: 'engine', destination: out });
  const cause = Object.assign(new Error('no'), { code: 'EPERM' });
  log.error({ err: teuError('MOUNT_FAILED', 'mounting /proc', { cause }) }, 'start failed');
  expect(out.lines()[0]?.['err']).toMatch(
    /^TeuError: mounting \/proc \(reason=MOUNT_FAILED\)\ncaused by Error: no \(code=EPERM\)\n {4}at /,
  );
});

test('leaves out what is below its level', () => {
  const out = capture();
  const log = createLogger({ service: 'engine', level: 'warn', destination: out });
  log.info('x');
  log.error('y');
  expect(out.lines().map((line) => line['msg'])).toEqual(['y']);
  silentLogger.child({ a: 1 }).fatal('nobody hears it');
});

test('a full disk under the log does not end the process', async () => {
  const full = openSync('/dev/full', 'w');
  const log = createLogger({ service: 'engine', destination: descriptorDestination(full) });
  for (let i = 0; i < 3; i++) log.warn('nowhere to write this');
  await setImmediate(); // an unheard error would end the test here
  closeSync(full);
});
