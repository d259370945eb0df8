import { DriverServiceService } from '@teu/proto/storage';
import {
  loopFilesystem,
  patient,
  requires,
  tempDir,
  waitFor,
  type FeatureName,
  type LoopFilesystem,
  type TempDir,
} from '@teu/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SnapshotsClient } from '../snapshots-client.js';
import { expectAddsUp, expectSound, makeFiles, withTree } from './expect-sound.js';
import type { StartTested, TestedService } from './tested-service.js';

/** How to get a driver whose directory may be on any disk. */
export interface FailingDiskSuite {
  readonly start: StartTested;
  /** What the machine must have beside root and loop devices with ext4. */
  readonly features?: readonly FeatureName[];
}

const CASE_TIMEOUT_MS = patient(120_000);
const DISK_BYTES = 64 << 20;

/** Takes the power from the disk of a driver that keeps directories on ext4, and fills it. */
export function describeDriverOnFailingDisk(name: string, suite: FailingDiskSuite): void {
  const isPossible = requires(
    'root',
    'ext4',
    'loop',
    'mkfs.ext4',
    'python3',
    ...(suite.features ?? []),
  );
  describe.runIf(isPossible)(`${name} on a disk that fails`, { timeout: CASE_TIMEOUT_MS }, () => {
    let run: TempDir;
    let disk: LoopFilesystem;
    let running: TestedService | undefined;
    beforeEach(async () => {
      run = tempDir();
      disk = await loopFilesystem(DISK_BYTES);
    });
    afterEach(async () => {
      await running?.stop();
      disk.remove();
      run.remove();
    });
    const start = async (): Promise<{ service: TestedService; snapshots: SnapshotsClient }> => {
      const dataDir = join(disk.path, 'd');
      const service = await suite.start({ runDir: run.path, dataDir, remove: () => undefined }, {});
      running = service;
      return { service, snapshots: new SnapshotsClient(service.channel, '') };
    };

    it('has all that it acknowledged after a power cut', async () => {
      const { service, snapshots } = await start();
      await makeFiles(snapshots, 'base');
      await makeFiles(snapshots, 'top', 'base');
      const keys = Array.from({ length: 20 }, (_, index) => `container/${index}`);
      for (const key of keys) await snapshots.prepare(key, 'top');
      await snapshots.remove('container/0');
      await snapshots.update('container/1', { colour: 'blue' });
      // Last, and without a parent: unmounting an overlay would have made everything durable.
      await makeFiles(snapshots, 'apart');
      await disk.cutPower();
      await expect(snapshots.prepare('too late', 'top')).rejects.toMatchObject({
        reason: 'STORAGE_FAILED',
      });
      service.kill('SIGKILL');
      await service.exited;
      await waitFor(() => disk.restart().then(() => true));

      const again = await start();
      const listed = await expectSound(again.service.channel);
      const names = listed.map((info) => info.name).sort();
      expect(names).toEqual(['apart', 'base', 'top', ...keys.slice(1)].sort());
      expect((await again.snapshots.stat('container/1')).labels).toEqual({ colour: 'blue' });
    });

    it('says when the disk is full, and can still remove', async () => {
      const { service, snapshots } = await start();
      await makeFiles(snapshots, 'base');
      await withTree(await snapshots.prepare('big', 'base'), (root) => fill(join(root, 'big')));
      const made: string[] = [];
      const makeMany = async (): Promise<void> => {
        for (let index = 0; index < 5000; index += 1) {
          await snapshots.prepare(`c${index}`, 'base', { padding: 'x'.repeat(4000) });
          made.push(`c${index}`);
        }
      };
      await expect(makeMany()).rejects.toMatchObject({ reason: 'STORAGE_FULL' });
      await expect(snapshots.stat(`c${made.length}`)).rejects.toMatchObject({
        status: 'NOT_FOUND',
      });
      await snapshots.remove('big');
      await snapshots.cleanup();
      await snapshots.prepare('after', 'base');
      await expectAddsUp(service.channel, made.length + 2);
      const usage = await service.channel.unary(DriverServiceService.getDiskUsage, {});
      expect(usage.availableBytes).toBeGreaterThan(8 << 20);
      await expectSound(service.channel);
    });
  });
}

/** Writes until nothing fits any more, down to single blocks. */
function fill(path: string): void {
  for (let size = 1 << 20; size >= 4096; size /= 2) {
    try {
      for (let index = 0; ; index += 1)
        writeFileSync(`${path} ${size} ${index}`, Buffer.alloc(size));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
  }
}
