import { installRoot } from '@teu/config';
import { requires, runProgram, tempDir, waitFor, type TempDir } from '@teu/testing';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Disk } from '../disk.js';
import { guestEnvironment } from '../guest-environment.js';
import { bootUntilUp } from '../boot-until-up.js';
import type { Machine } from '../machine.js';
import { readDiary, type Entry, type Event } from './diary.js';
import { PLACES } from './place.js';

const DISK_BYTES = 1 << 30;
/** Snapshots of each driver before the power goes. */
const ENOUGH = 9;
/** Of each machine; on a busy host one takes some minutes. */
const LIMIT_S = 600;

// The power cut of a machine is QEMU's end by kill -9: it takes the machine's page cache along, as a real one does.
describe.runIf(requires('root'))('a machine whose power is cut', () => {
  let directory: TempDir;
  let machine: Machine | undefined;
  let before: Entry[] = [];
  let after: Entry[] = [];
  let errors = '';

  const start = async (program: string, phase: string, onText: (text: string) => void) => {
    const disks = Object.keys(PLACES).map((driver): Disk => ({
      file: join(directory.path, driver),
      bytes: DISK_BYTES,
      cache: 'writeback',
    }));
    machine = await bootUntilUp({
      command: ['node', program, phase],
      directory: installRoot(),
      environment: guestEnvironment(),
      writable: [],
      scratchBytes: 1 << 20,
      disks,
      memoryMebibytes: 2048,
      cpus: 2,
      timeLimitSeconds: LIMIT_S,
      onOutput: (stream, data) => {
        if (stream === 'stdout') onText(data.toString());
        else errors += data.toString();
      },
    });
    return machine;
  };

  beforeAll(
    async () => {
      directory = tempDir();
      const program = join(installRoot(), 'dist/lab/power-cut.mjs');
      const root = installRoot();
      const words = ['-C', root, process.execPath, 'tools/bundle-file.mjs'];
      const bundled = await runProgram('env', [...words, 'test/lab/power-cut/main.ts', program]);
      expect(bundled).toMatchObject({ code: 0 });

      let text = '';
      const first = await start(program, 'make', (more) => (text += more));
      const hasEnough = (driver: string): boolean =>
        namesOf(readDiary(text), driver, 'made').length >= ENOUGH;
      const ended = first.ended.then((end) => {
        throw new Error(`the machine has ended: ${JSON.stringify(end)}\n${errors}`);
      });
      const enough = waitFor(() => Object.keys(PLACES).every(hasEnough), {
        timeoutMs: LIMIT_S * 1000,
      });
      await Promise.race([enough, ended]);
      first.cutPower();
      await ended.catch(() => undefined);
      before = readDiary(text);
      await first.remove();

      text = '';
      const second = await start(program, 'find', (more) => (text += more));
      expect(await second.ended, errors).toEqual({ kind: 'status', code: 0 });
      after = readDiary(text);
      await second.remove();
    },
    2 * LIMIT_S * 1000,
  );
  afterAll(async () => {
    await machine?.remove();
    directory.remove();
  });

  describe.each(Object.keys(PLACES))('under %s', (driver) => {
    const noted = (event: Event) => namesOf(before, driver, event);
    const found = () => namesOf(after, driver, 'found');

    test('leaves every snapshot whole, and nothing else', () => {
      expect(namesOf(after, driver, 'damaged')).toEqual([]);
    });

    test('has all that was acknowledged', () => {
      const asked = new Set(noted('asked to remove'));
      const kept = noted('made').filter((name) => !asked.has(name));
      expect(kept.length).toBeGreaterThan(0);
      expect(found()).toEqual(expect.arrayContaining(kept));
    });

    test('shows nothing that was removed, and nothing beyond what was being made', () => {
      const removed = noted('removed');
      expect(removed.length).toBeGreaterThan(0);
      expect(found().filter((name) => removed.includes(name))).toEqual([]);
      // The answer to the last call may have been on its way.
      const last = noted('asked').at(-1) ?? '';
      const known = [...noted('made'), last, `making ${last}`];
      expect(found().filter((name) => !known.includes(name))).toEqual([]);
    });
  });
});

function namesOf(diary: readonly Entry[], driver: string, event: Event): string[] {
  return diary
    .filter((entry) => entry.driver === driver && entry.event === event)
    .map(({ name }) => name);
}
