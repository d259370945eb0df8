import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxImageTar, startTeu, waitFor } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';
import { serveDriver, type ServedDriver } from './serve-driver.js';

// Storage drivers as a user has them: chosen at `up`, added and removed while the engine runs, dead, hung.
const quickMs = 5_000;
const deadlineMs = 20_000;

let engine: Engine;
let driver: ServedDriver | undefined;

const serveSlow = async () => {
  driver = await serveDriver(engine, 'vfs', 'slow');
};

async function endSlow(signal: NodeJS.Signals): Promise<number | null> {
  const ending = driver;
  driver = undefined;
  return ending === undefined ? null : ending.end(signal);
}

interface Listed {
  address: { name: string };
  state: string;
  stateDetail?: string;
  isDefault?: boolean;
  driver?: { name: string };
  containerCount?: number;
}

async function listed(teu: Engine, name: string): Promise<Listed | undefined> {
  const drivers = JSON.parse(await output(teu, 'driver', 'ls', '--format', 'json')) as Listed[];
  return drivers.find(({ address }) => address.name === name);
}

const available = 'DRIVER_STATE_AVAILABLE';
const unavailable = 'DRIVER_STATE_UNAVAILABLE';

/** Runs a command and tells how it went and how long it took. */
async function timed(...args: string[]) {
  const begin = performance.now();
  const result = await engine.teu(args);
  return { ...result, ms: performance.now() - begin };
}

const runOn = (name: string) =>
  ['run', '--rm', '--storage-driver', name, 'busybox', 'echo', 'hello'] as const;

async function driverOf(teu: Engine, container: string): Promise<string | undefined> {
  const found = JSON.parse(await output(teu, 'inspect', container)) as { driver?: string }[];
  return found[0]?.driver;
}

beforeAll(async () => {
  engine = await startEngine();
  await serveSlow();
});
afterAll(async () => {
  await endSlow('SIGKILL');
  await engine.stop();
});

describe('a driver beside the engine', () => {
  test('is added while the engine runs, and runs containers', async () => {
    expect(await listed(engine, 'overlay2')).toMatchObject({ state: available, isDefault: true });
    expect(await output(engine, 'driver', 'add', 'slow', `${engine.runDir}/d/slow.sock`)).toBe(
      'slow',
    );
    expect(await listed(engine, 'slow')).toMatchObject({
      state: available,
      driver: { name: 'vfs' },
    });
    expect(await output(engine, ...runOn('slow'))).toBe('hello');
    await output(
      engine,
      'create',
      '--name',
      'stays',
      '--storage-driver',
      'slow',
      'busybox',
      'true',
    );
    expect(await driverOf(engine, 'stays')).toBe('slow');
    expect(await listed(engine, 'slow')).toMatchObject({ containerCount: 1 });
    expect(await output(engine, 'ps', '-a', '-q', '--filter', 'driver=slow')).toMatch(/^\w{12}$/);
  });

  test('holds the image as the other one does; their parts add up', async () => {
    expect(await output(engine, ...runOn('overlay2'))).toBe('hello');
    type Usage = Record<string, number> & { name: string };
    const usages = JSON.parse(await output(engine, 'driver', 'df', '--format', 'json')) as Usage[];
    expect(usages.map(({ name }) => name).sort()).toEqual(['overlay2', 'slow']);
    for (const usage of usages) {
      expect(usage['committedBytes']).toBeGreaterThan(500_000);
      expect(usage['totalBytes']).toBe(
        ['committed', 'active', 'removing', 'metadata']
          .map((part) => usage[`${part}Bytes`] ?? Number.NaN)
          .reduce((sum, bytes) => sum + bytes),
      );
    }
    expect(await output(engine, 'driver', 'df')).toMatch(/^slow +[\d.]+MB +/m);
  });

  test.each(['again', 'as unix:/path'])('may be added %s, but not elsewhere', async (how) => {
    const path = `${engine.runDir}/d/slow.sock`;
    await output(engine, 'driver', 'add', 'slow', how === 'again' ? path : `unix:${path}`);
    const other = await engine.teu(['driver', 'add', 'slow', `${engine.runDir}/image.sock`]);
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toMatch(/"?slow"?/);
  });

  test('can be the default one, until another is', async () => {
    await output(engine, 'driver', 'default', 'slow');
    await output(engine, 'create', '--name', 'plain', 'busybox', 'true');
    expect(await driverOf(engine, 'plain')).toBe('slow');
    const refused = await engine.teu(['driver', 'rm', 'slow']);
    expect(refused.code).toBe(1);
    await output(engine, 'driver', 'default', 'overlay2');
    await output(engine, 'rm', 'plain');
  });
});

const absences: readonly (readonly [how: string, signal: NodeJS.Signals])[] = [
  ['is killed', 'SIGKILL'],
  ['hangs', 'SIGSTOP'],
];

describe.each(absences)('a driver that %s', (_how, signal) => {
  beforeAll(async () => {
    if (signal === 'SIGKILL') await endSlow(signal);
    else driver?.signal(signal);
  });

  test('is told as unavailable', async () => {
    const slow = await listed(engine, 'slow');
    expect(slow?.state).toBe(unavailable);
    expect(slow?.stateDetail).toContain('slow');
    expect(await output(engine, 'driver', 'ls')).toMatch(/^slow +\S+ +unavailable /m);
  });

  test('keeps nothing else from working', async () => {
    for (let round = 0; round < 3; round++) {
      const run = await timed(...runOn('overlay2'));
      expect(run).toMatchObject({ code: 0, stdout: 'hello\n' });
      expect(run.ms).toBeLessThan(quickMs);
    }
    const listing = await timed('ps', '-a');
    expect(listing).toMatchObject({ code: 0 });
    expect(listing.ms).toBeLessThan(quickMs);
  });

  test('makes what is on it unavailable, within a deadline, and is named', async () => {
    // Starts that were made in advance need no driver any more.
    await waitFor(async () => (await engine.teu(runOn('slow'))).code !== 0, {
      timeoutMs: deadlineMs,
    });
    for (const words of [runOn('slow'), ['start', 'stays'], ['driver', 'df', 'slow']]) {
      const failed = await timed(...words);
      expect(failed.code, words.join(' ')).toBe(words[0] === 'run' ? 125 : 1);
      expect(failed.stderr, words.join(' ')).toMatch(/^teu: .*slow/);
      expect(failed.stderr, words.join(' ')).not.toMatch(/unexpected|internal/);
      expect(failed.ms, words.join(' ')).toBeLessThan(deadlineMs);
    }
  });

  test('works again when it is back', async () => {
    if (signal === 'SIGKILL') await serveSlow();
    else driver?.signal('SIGCONT');
    await waitFor(async () => (await listed(engine, 'slow'))?.state === available, {
      timeoutMs: deadlineMs,
    });
    await waitFor(async () => (await engine.teu(runOn('slow'))).code === 0, {
      timeoutMs: deadlineMs,
    });
    expect(await output(engine, 'start', '-a', 'stays')).toBe('');
  });
});

describe('leaving', () => {
  test('is refused while a container stands on it', async () => {
    const refused = await engine.teu(['driver', 'rm', 'slow']);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^teu: .*slow/);
    expect(refused.stderr).toContain('teu ps -a --filter driver=slow');
  });

  test('takes the layers out of it and forgets it; images stay', async () => {
    await output(engine, 'rm', 'stays');
    expect(await output(engine, 'driver', 'rm', 'slow')).toBe('slow');
    expect(await listed(engine, 'slow')).toBeUndefined();
    const gone = await engine.teu(runOn('slow'));
    expect(gone.code).toBe(125);
    expect(gone.stderr).toMatch(/slow[^]*teu driver ls/);
    expect(await output(engine, ...runOn('overlay2'))).toBe('hello');
    const layers = join(engine.dataDir, 'drivers/slow/l');
    await waitFor(() => readdirSync(layers).length === 0, { timeoutMs: deadlineMs });
    expect(await endSlow('SIGTERM')).toBe(0);
  });
});

test('a limit of the root file system is refused by a driver that has none', async () => {
  const limited = ['run', '--rm', '--storage-opt', 'size=64m', 'busybox', 'true'];
  const refused = await engine.teu(limited);
  expect(refused.code).toBe(125);
  expect(refused.stderr).toMatch(/overlay2/);
  expect(refused.stderr).not.toMatch(/unexpected|internal/);
});

test('a check finds what somebody took away, and a repair says what became of it', async () => {
  const clean = await engine.teu(['driver', 'check', 'overlay2', '--read-data']);
  expect(clean).toMatchObject({ code: 0, stderr: '' });
  expect(clean.stdout).toMatch(/^looked at \d+ snapshots?, \d+ files?, .*: nothing is wrong\n$/);
  const layer = join(engine.dataDir, 'overlay2/l/1');
  const [victim = ''] = readdirSync(join(layer, 'bin'));
  rmSync(join(layer, 'bin', victim));
  const dirty = await engine.teu(['driver', 'check', 'overlay2']);
  expect(dirty).toMatchObject({ code: 1, stderr: '' });
  expect(dirty.stdout).toContain(`missing file: sha256:`);
  expect(dirty.stdout).toContain(`bin/${victim}`);
  const repair = await engine.teu(['driver', 'repair', 'overlay2']);
  expect(repair.stdout).toMatch(/^(quarantined|mended) missing file: sha256:/m);
  // The directory has another time of change, and gets its old one back.
  expect(repair.stdout).toMatch(/: 2 findings, 1 of them remains\n$/);
});

describe('the drivers of an engine', () => {
  let own: Engine;
  beforeAll(async () => {
    own = await startTeu({ args: ['--storage-driver', 'vfs'] });
  });
  afterAll(async () => {
    await own.stop();
  });

  async function again(...args: string[]): Promise<string> {
    await output(own, 'down');
    return output(own, 'up', '-d', ...args);
  }

  test('are those that were asked for', async () => {
    expect(await listed(own, 'vfs')).toMatchObject({ isDefault: true });
    expect(await listed(own, 'overlay2')).toBeUndefined();
  });

  test('are those that were used before, if none is asked for', async () => {
    expect(await again()).toContain('storage driver vfs (used before)');
    expect(await listed(own, 'vfs')).toMatchObject({ isDefault: true });
  });

  test('have the default that was asked for, also when none is asked for any more', async () => {
    await again('--storage-driver', 'vfs,overlay2');
    expect(await again()).toContain('the default storage driver is vfs, as chosen before');
    expect(await listed(own, 'vfs')).toMatchObject({ isDefault: true });
    // For the tests below: as if it had never been used.
    await output(own, 'down');
    rmSync(join(own.dataDir, 'overlay2'), { recursive: true });
    await output(own, 'up', '-d');
  });

  test('stay when another is made the default one', async () => {
    await output(own, 'load', '-i', await busyboxImageTar());
    await output(own, 'create', '--name', 'old', 'busybox', 'echo', 'still here');
    expect(await again('--storage-driver', 'overlay2')).toContain(
      'storage drivers overlay2, vfs (asked for; vfs: used before)',
    );
    expect(await listed(own, 'overlay2')).toMatchObject({ isDefault: true });
    expect(await output(own, 'start', '-a', 'old')).toBe('still here');
    await output(own, 'create', '--name', 'new', 'busybox', 'true');
    expect([await driverOf(own, 'old'), await driverOf(own, 'new')]).toEqual(['vfs', 'overlay2']);
  });

  test('keep the default that was chosen', async () => {
    await output(own, 'driver', 'default', 'vfs');
    expect(await again()).toContain('the default storage driver is vfs, as chosen before');
    expect(await listed(own, 'vfs')).toMatchObject({ isDefault: true });
    const { stdout } = await own.teu(['status', '--format', 'json']);
    const services = JSON.parse(stdout) as { name: string; storageDriver: boolean }[];
    const names = services.filter((item) => item.storageDriver).map(({ name }) => name);
    expect(names).toEqual(['overlay2', 'vfs']);
  });

  test('come up without one that was used before and cannot work any more', async () => {
    // No directory for tests is on ZFS.
    const lost = join(own.dataDir, 'zfs');
    mkdirSync(lost);
    writeFileSync(join(lost, 'state.db'), '');
    const up = await again();
    expect(up).toContain('storage drivers overlay2, zfs, vfs (used before)');
    expect(up).toMatch(/note: zfs did not start: .*; see .*zfs\.log/);
    expect(await listed(own, 'zfs')).toMatchObject({ state: unavailable });
    expect(await output(own, 'start', '-a', 'old')).toBe('still here');
    await output(own, 'down');
    const asked = await own.teu(['up', '-d', '--storage-driver', 'zfs']);
    expect(asked).toMatchObject({ code: 125 });
    expect(asked.stderr).toMatch(/zfs did not start: /);
    rmSync(lost, { recursive: true });
    await output(own, 'up', '-d');
  });

  test('are named when there is none of that name', async () => {
    const wrong = await own.teu(['up', '-d', '--storage-driver', 'overlay']);
    expect(wrong).toMatchObject({ code: 125 });
    expect(wrong.stderr).toContain('did you mean overlay2?');
  });
});
