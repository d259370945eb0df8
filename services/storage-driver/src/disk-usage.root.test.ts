import { DriverServiceService } from '@teu/proto/storage';
import { mountSnapshot, unmountSnapshot } from '@teu/snapshot-conformance';
import { runProgram, tempDir, waitFor } from '@teu/testing';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startDriver } from './testing/start-driver.js';

it('accounts for every block that it uses', async () => {
  using directory = tempDir();
  const driver = await startDriver(directory.path);
  const { snapshots, channel } = driver;
  const root = join(directory.path, 'overlay2');
  const place = join(directory.path, 'm');
  for (const [name, parent] of [
    ['one', ''],
    ['two', 'one'],
  ] as const) {
    await mountSnapshot(await snapshots.prepare(`making ${name}`, parent), place);
    mkdirSync(join(place, name));
    writeFileSync(join(place, name, 'file'), Buffer.alloc(300_000, 1));
    await unmountSnapshot(place);
    await snapshots.commit(name, `making ${name}`);
  }
  for (let index = 0; index < 20; index += 1) await snapshots.prepare(`container/${index}`, 'two');
  await snapshots.view('view', 'two');
  await snapshots.cleanup();

  // Manifests come in the background, and a row after each: compared is what nothing was written beside.
  await waitFor(() => readdirSync(join(root, 'manifests')).sort().join() === '1,2');
  let usage = await channel.unary(DriverServiceService.getDiskUsage, {});
  let total = await diskUse(root);
  await waitFor(async () => {
    const before = total;
    usage = await channel.unary(DriverServiceService.getDiskUsage, {});
    total = await diskUse(root);
    return total === before;
  });
  expect(usage.totalBytes).toBe(total);
  const parts = [usage.committedBytes, usage.activeBytes, usage.removingBytes, usage.metadataBytes];
  expect(parts.reduce((sum, part) => sum + part)).toBe(usage.totalBytes);
  expect(usage.committedBytes).toBeGreaterThanOrEqual(600_000);
  expect(usage.snapshotCount).toBe(23);
  for (const name of ['.', 'l', 'w', 'removing']) {
    expect(statSync(join(root, name)).mode & 0o777, name).toBe(0o700);
  }
  await driver.close();
});

async function diskUse(directory: string): Promise<number> {
  const { stdout } = await runProgram('du', ['--summarize', '--block-size=1', directory]);
  return Number.parseInt(stdout, 10);
}
