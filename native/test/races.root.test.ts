import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NativeError } from '../ts/index.js';
import { makeScratch, mountsBelow, type Scratch } from './support/busybox-rootfs.js';
import { containerPlan, processPlan } from './support/plans.js';
import { runToEnd } from './support/run.js';

const STARTS = 150;

describe('a shared volume in which somebody swaps a directory for a link', () => {
  let scratch: Scratch;
  let outside: string;
  let racer: ChildProcess;
  beforeEach(() => {
    scratch = makeScratch();
    outside = join(scratch.directory, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'canary'), 'canary');
    const volume = join(scratch.root, 'v');
    mkdirSync(join(volume, 'a'), { recursive: true });
    symlinkSync(outside, join(volume, 'swap'));
    // renameat2(RENAME_EXCHANGE) in a loop; Node has no such call.
    racer = spawn('python3', [
      '-c',
      `import ctypes,sys
libc=ctypes.CDLL(None)
a,b=[p.encode() for p in sys.argv[1:3]]
while True: libc.renameat2(-100,a,-100,b,2)`,
      join(volume, 'a'),
      join(volume, 'swap'),
    ]);
  });
  afterEach(async () => {
    racer.kill('SIGKILL');
    await once(racer, 'exit');
    scratch.dispose();
  });

  it('never gets a mount, a directory or a file of the host', async () => {
    const source = join(scratch.directory, 'state');
    let started = 0;
    for (let round = 0; round < STARTS; round += 1) {
      const plan = containerPlan(scratch, processPlan(['true']));
      plan.mounts = [
        {
          type: 'bind',
          source,
          target: `/v/a/b${round}/c`,
          flags: 0x1000,
          propagation: 0,
          data: '',
        },
      ];
      plan.devices = plan.devices.map((device) => ({ ...device, path: `/v/a/d${device.minor}` }));
      plan.links = [];
      plan.maskedPaths = [];
      plan.readonlyPaths = [];
      try {
        await runToEnd(plan);
        started += 1;
      } catch (error) {
        if (!(error instanceof NativeError)) throw error;
        expect(['mounts', 'devices']).toContain(error.step);
      }
    }
    expect(readdirSync(outside)).toEqual(['canary']);
    expect(mountsBelow(scratch.directory)).toEqual([]);
    // The race is one: both outcomes occur, else this test proves nothing.
    expect(started).toBeGreaterThan(0);
  }, 60_000);
});
