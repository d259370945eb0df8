import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const native = fileURLToPath(new URL('../../', import.meta.url));
const program = 'dist/asan/teu-cgroup-watch';
const CGROUPS = '/sys/fs/cgroup';
const V2_ROOT = join(CGROUPS, 'unified');
const hasV1 = ['memory', 'pids'].every((name) => existsSync(join(CGROUPS, name, 'tasks')));
const hasV2 = existsSync(join(V2_ROOT, 'cgroup.procs'));
const HIERARCHIES = ['memory', 'pids', ...(hasV2 ? ['unified'] : [])];
const GROUP = `teu/watch-${process.pid}`;
const SLOW_MS = 240_000;
const PATIENCE = { timeout: 60_000, interval: 20 };

const pathIn = (hierarchy: string, group: string): string => join(CGROUPS, hierarchy, group);
const at = (hierarchy: string, file: string): string => join(pathIn(hierarchy, GROUP), file);

/** The watcher with sanitizers, and what it says. */
class Watcher {
  readonly child: ChildProcessWithoutNullStreams;
  readonly lines: string[] = [];
  complaint = '';

  constructor() {
    const roots = HIERARCHIES.map((name) => `${name}=${join(CGROUPS, name)}`);
    const told = ['kmsg=0', 'pressure=0,0,1000', 'level=low'];
    this.child = spawn(join(native, program), [...roots, ...told], { stdio: 'pipe' });
    let rest = '';
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.lines.push(...lines);
    });
    this.child.stderr.on('data', (text: Buffer) => (this.complaint += text.toString()));
  }

  /** Waits until it has said something that begins so and has that in it. */
  async hear(begin: string, part = ''): Promise<void> {
    const isSaid = (line: string): boolean => line.startsWith(begin) && line.includes(part);
    await vi.waitFor(
      () =>
        expect(
          this.lines.some(isSaid),
          `${begin} ${part} ${this.lines.join('\n')} ${this.complaint}`,
        ).toBe(true),
      PATIENCE,
    );
  }

  async ask(id: number, ...words: readonly (string | number)[]): Promise<void> {
    this.child.stdin.write(`${id} ${words.join(' ')}\n`);
    await this.hear(`${id} ok`);
  }
}

/** Runs a script in the group until it ends. */
async function runInGroup(script: string): Promise<void> {
  const joined = HIERARCHIES.map((name) => `echo 0 > ${at(name, 'cgroup.procs')};`).join(' ');
  await once(spawn('/bin/sh', ['-c', `${joined} ${script}`], { stdio: 'ignore' }), 'close');
}

/** Somebody else than the watcher removes it. A process that has ended may hold it a moment longer. */
async function removeGroup(): Promise<void> {
  for (const name of HIERARCHIES) {
    await vi.waitFor(() => rmdirSync(pathIn(name, GROUP)), PATIENCE);
  }
}

describe.skipIf(!hasV1)('teu-cgroup-watch with sanitizers', () => {
  let watcher: Watcher;
  beforeEach(() => {
    const make = ['make', '-s', '-j2', '-f', 'src/watch/rules.mk', program];
    const made = spawnSync('flock', ['src/watch/rules.mk', ...make], {
      ...{ cwd: native, encoding: 'utf8' },
    });
    expect(made.stderr).toBe('');
    for (const name of HIERARCHIES) mkdirSync(pathIn(name, GROUP), { recursive: true });
    watcher = new Watcher();
  }, SLOW_MS);
  afterEach(async () => {
    watcher.child.kill('SIGKILL');
    if (existsSync(pathIn('memory', GROUP))) await removeGroup();
    for (const name of HIERARCHIES) {
      try {
        rmdirSync(pathIn(name, 'teu'));
      } catch {
        // Groups of others are in it.
      }
    }
  });

  it(
    'tells of limits, waiting, a kill and an end, and has no fault',
    async () => {
      writeFileSync(at('memory', 'memory.limit_in_bytes'), '8M');
      writeFileSync(at('pids', 'pids.max'), '4');
      await watcher.hear('0 kmsg');
      await watcher.ask(1, 'watch', 7, GROUP);
      await watcher.ask(2, 'pressure', 7);
      await runInGroup('for i in 1 2 3 4 5; do sleep 0.1 & done; wait');
      await watcher.hear('0 counts 7', ' pids.max=');
      // The sleeping ones may be there still.
      writeFileSync(at('pids', 'pids.max'), 'max');
      await runInGroup('exec dd if=/dev/zero of=/dev/null bs=50M count=1');
      await watcher.hear('0 counts 7', 'oom_kill=1');
      await watcher.ask(3, 'sync');
      // Its limit is another one: all is asked for anew, the threshold in a thread.
      writeFileSync(at('memory', 'memory.limit_in_bytes'), '16M');
      await watcher.ask(4, 'watch', 7, GROUP);
      const known = watcher.lines.length;
      await runInGroup('exec dd if=/dev/zero of=/dev/null bs=50M count=1');
      await vi.waitFor(
        () => expect(watcher.lines.slice(known).join()).toMatch('oom_kill=2'),
        PATIENCE,
      );
      if (existsSync(at('unified', 'cpu.pressure'))) {
        await runInGroup(
          "for i in 1 2 3; do timeout 1 sh -c 'while :; do :; done' & done; wait; true",
        );
        await watcher.hear('0 pressure 7 cpu');
      }
      // One way to end is to be asked, the other is that somebody else removes the group.
      await watcher.ask(5, 'unwatch', 7);
      await watcher.ask(6, 'watch', 8, GROUP);
      await watcher.ask(9, 'pressure', 8);
      await removeGroup();
      await watcher.hear('0 gone 8');

      const closed = once(watcher.child, 'close');
      watcher.child.stdin.end();
      expect(await closed).toEqual([0, null]);
      expect(watcher.complaint).toBe('');
    },
    SLOW_MS,
  );
});
