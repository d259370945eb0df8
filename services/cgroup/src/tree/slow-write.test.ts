import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@teu/testing';
import { expect, it, onTestFinished } from 'vitest';
import { NO_SIGNAL, slowWrite } from './slow-write.js';

const fileNamed = (name: string): string => {
  const directory = tempDir();
  onTestFinished(() => directory.remove());
  return join(directory.path, name);
};

it('writes a file that is there, and says what the kernel refuses', async () => {
  const file = fileNamed('limit');
  await expect(slowWrite(file, '1', NO_SIGNAL)).rejects.toMatchObject({ code: 'ENOENT' });
  writeFileSync(file, '');
  await slowWrite(file, '4096', NO_SIGNAL);
  expect(readFileSync(file, 'utf8')).toBe('4096');
});

it('is given up while the kernel takes its time', async () => {
  const pipe = fileNamed('pipe');
  execFileSync('mkfifo', [pipe]);
  const abort = new AbortController();
  // Nobody reads from it.
  const write = slowWrite(pipe, '4096', abort.signal);
  abort.abort(new Error('nobody waits'));
  await expect(write).rejects.toThrow('nobody waits');
  await expect(slowWrite(pipe, '4096', abort.signal)).rejects.toThrow('nobody waits');
});
