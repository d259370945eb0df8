import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startService, tempDir } from '@teu/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LAYERED_IMAGE, writeDeepImage } from '../interop/layered-image.js';
import { output, startEngine, type Engine } from './engine.js';

let engine: Engine;
const cleanUp = new AsyncDisposableStack();
beforeAll(async () => {
  engine = await startEngine();
  cleanUp.defer(() => engine.stop());
});
afterAll(() => cleanUp.disposeAsync());

/** What is in force: what the mount shows, or else what the kernel was told for all. */
function inForce(options: readonly string[], name: string): string {
  const shown = options.find((option) => option.startsWith(`${name}=`));
  if (shown !== undefined) return shown.slice(name.length + 1);
  return readFileSync(`/sys/module/overlay/parameters/${name}`, 'utf8').trim();
}

test('nothing that a layer says of other places is obeyed in the root of a container', async () => {
  const mounts = await output(engine, 'run', '--rm', 'busybox', 'cat', '/proc/self/mounts');
  const [device, , , text = ''] = mounts.split('\n')[0]?.split(' ') ?? [];
  expect(device).toBe('overlay');
  const options = text.split(',');
  expect(inForce(options, 'redirect_dir')).toBe('nofollow');
  expect(inForce(options, 'metacopy')).toMatch(/^(off|N)$/);
  expect(inForce(options, 'index')).toMatch(/^(off|N)$/);
});

test('more layers than mount(2) takes paths of are one tree all the same', async () => {
  const depth = 30;
  const directory = tempDir();
  cleanUp.defer(() => directory.remove());
  const root = join(directory.path, 'a-data-directory-with-a-very-long-path'.repeat(4));
  mkdirSync(root);
  const driver = await startService('overlay2', { env: { TEU_STORAGE_ROOT: root } });
  cleanUp.defer(() => driver.stop());
  const archive = join(directory.path, 'deep.tar');
  await writeDeepImage(archive, depth);
  await output(engine, 'driver', 'add', 'deep', driver.address);
  await output(engine, 'load', '-i', archive, '--storage-driver', 'deep');
  const script = 'echo x > /layers/own; set -- /layers/*; echo $#';
  const run = ['run', '--rm', '--storage-driver', 'deep', LAYERED_IMAGE, 'sh', '-c', script];
  expect(await output(engine, ...run)).toBe(String(depth + 1));
  // The engine has to be done with it before it goes.
  await output(engine, 'rmi', LAYERED_IMAGE);
  await output(engine, 'driver', 'rm', 'deep');
}, 60_000);
