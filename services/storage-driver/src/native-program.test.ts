import { tempDir } from '@teu/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NativeProgram } from './native-program.js';

const LIMIT_MS = 5000;

/** A shell script in the place of a native program. */
function withProgram(script: string): NativeProgram & AsyncDisposable {
  const directory = tempDir();
  const binary = join(directory.path, 'program');
  writeFileSync(binary, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const program = new NativeProgram({ driver: 'd', binary, args: [directory.path] });
  return Object.assign(program, {
    [Symbol.asyncDispose]: async () => {
      await program.close();
      directory.remove();
    },
  });
}

it('gives each request its own answer, in whatever order and pieces they come', async () => {
  await using program = withProgram(
    `read a; read b; printf '2 ok 7 8\\n1 o'; printf 'k\\n9 ok 1\\n'; read c
     echo '3 error ENOSPC ioctl make snapshot'; read d`,
  );
  const answers = [program.request(LIMIT_MS, 'create', 'l/1'), program.request(LIMIT_MS, 'sync')];
  expect(await Promise.all(answers)).toEqual([[], [7, 8]]);
  await expect(program.request(LIMIT_MS, 'sync')).rejects.toMatchObject({
    code: 'ENOSPC',
    message: 'ioctl to make snapshot: ENOSPC',
  });
});

it('gives up a request that is not answered in time, and no other', async () => {
  await using program = withProgram(`read a; read b; echo '2 ok 5'; read c`);
  const late = expect(program.request(50, 'sync')).rejects.toMatchObject({
    reason: 'STORAGE_FAILED',
    message: expect.stringContaining('"sync" was not done within 50 ms') as string,
  });
  expect(await program.request(LIMIT_MS, 'usage', 'l/1')).toEqual([5]);
  await late;
});

it('fails what was in flight when the program ends, with what it said, and starts it again', async () => {
  await using program = withProgram(
    `[ -e "$1/again" ] && { read a; echo '2 ok'; read b; }; read a; touch "$1/again"; echo why >&2; exit 3`,
  );
  await expect(program.request(LIMIT_MS, 'sync')).rejects.toMatchObject({
    reason: 'STORAGE_FAILED',
    message: expect.stringContaining('exit status 3') as string,
  });
  expect(await program.request(LIMIT_MS, 'sync')).toEqual([]);
});

it('says when there is no program, or it is closed', async () => {
  const program = new NativeProgram({ driver: 'd', binary: '/nowhere/teu', args: [] });
  await expect(program.request(LIMIT_MS, 'sync')).rejects.toMatchObject({
    reason: 'STORAGE_FAILED',
    message: expect.stringContaining('could not be started') as string,
  });
  await program.close();
  await expect(program.request(LIMIT_MS, 'sync')).rejects.toMatchObject({
    reason: 'STORAGE_FAILED',
  });
});
