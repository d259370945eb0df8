import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const native = fileURLToPath(new URL('../../', import.meta.url));
const program = 'dist/asan/teu-cgroup-write';
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'teu-write-'));
  const make = ['-s', '-j2', '-f', 'src/write/rules.mk', program];
  expect(spawnSync('make', make, { cwd: native, encoding: 'utf8' }).stderr).toBe('');
}, 240_000);
afterAll(() => rmSync(directory, { recursive: true }));

const run = (...words: string[]) => {
  const { status, stderr } = spawnSync(join(native, program), words, { encoding: 'utf8' });
  return { status, stderr };
};

it('writes one line to a file that is there', () => {
  const file = join(directory, 'limit');
  writeFileSync(file, '');
  expect(run(file, '4096')).toEqual({ status: 0, stderr: '' });
  expect(readFileSync(file, 'utf8')).toBe('4096');
});

it('makes no file, and says what the kernel refuses', () => {
  expect(run(join(directory, 'none'), '1')).toEqual({ status: 1, stderr: 'open ENOENT\n' });
  expect(run('/dev/full', '1')).toEqual({ status: 1, stderr: 'write ENOSPC\n' });
  expect(readdirSync(directory)).not.toContain('none');
});

it('wants a file and a text', () => {
  expect(run('/dev/null')).toMatchObject({ status: 2 });
  expect(run('/dev/null', '1', '2')).toMatchObject({ status: 2 });
});
