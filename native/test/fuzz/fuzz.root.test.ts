import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REFUSED } from '../layer/hostile-list.js';
import { dir, file, hard, link, tar, xattr } from '../layer/tar-builder.js';

const native = fileURLToPath(new URL('../../', import.meta.url));
const program = join(native, 'dist/asan/fuzz/teu-fuzz');
const planted = `${program}-planted`;
// `npm run fuzz` sets these.
const seconds = Number(process.env['TEU_FUZZ_SECONDS'] ?? 3);
const seed = process.env['TEU_FUZZ_SEED'] ?? '1';
const only = process.env['TEU_FUZZ_TARGET'];
const SLOW_MS = 600_000;

const GOOD = [
  tar(dir('d'), file('d/f', 'x'.repeat(5000)), hard('d/h', 'd/f'), link('l', 'd')),
  tar(xattr('u', 'user.note', 'hello'), file('.wh.gone'), file('d/.wh..wh..opq')),
  tar({
    name: 's',
    data: 'ab',
    pax: [
      ['GNU.sparse.map', '8,2'],
      ['GNU.sparse.size', '10'],
    ],
  }),
];

/** A report as the kernel writes it into its log. */
const REPORT = [
  '4,1,10,-;tail invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0',
  '6,2,11,-,caller=T7;memory: usage 16384kB, limit 16384kB, failcnt 0',
  '6,3,12,-;memory+swap: usage 16384kB, limit 16384kB, failcnt 0',
  '6,4,13,-,caller=T7;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/t',
  ' SUBSYSTEM=memory',
  '6,5,13,c,caller=T7;,task_memcg=/t/i,task=a\\x20b,pid=26716,uid=0',
  '3,6,14,-;Memory cgroup out of memory: Killed process 26716 (a\\x20b) total-vm:18676kB, anon-rss:15872kB, file-rss:1516kB, shmem-rss:0kB, UID:0 pgtables:76kB oom_score_adj:0',
];
const HOST_REPORT = [
  '6,7,20,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=c,mems_allowed=0-1,global_oom,task_memcg=/c,task=dd,pid=5,uid=1000',
  '3,8,21,-;Out of memory: Killed process 5 (dd) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:4kB oom_score_adj:-17',
  '6,9,22,-;cgroup: fork rejected by pids controller in /teu/x',
];
const RECORDS = [REPORT, HOST_REPORT].map((lines) => Buffer.from(`${lines.join('\n')}\n`));

const TARGETS = ['reader', 'writer', 'kernel-log'] as const;
type Target = (typeof TARGETS)[number];

let corpora: string;
const corpusOf = (target: Target): string =>
  join(corpora, target === 'kernel-log' ? 'records' : 'tars');

beforeAll(() => {
  // Test files run side by side, and make does not expect to.
  const programs = ['dist/asan/fuzz/teu-fuzz', 'dist/asan/fuzz/teu-fuzz-planted'];
  const make = ['make', '-s', '-j2', '-f', 'fuzz/rules.mk', ...programs];
  const made = spawnSync('flock', ['fuzz/rules.mk', ...make], { cwd: native, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`teu-fuzz cannot be built: ${made.stderr}`);
  corpora = mkdtempSync(join(tmpdir(), 'teu-fuzz-'));
  const hostile = REFUSED.map(([, layers]) => tar(...layers.flat()));
  keep(corpusOf('reader'), [...GOOD, ...hostile]);
  keep(corpusOf('kernel-log'), RECORDS);
}, SLOW_MS);

afterAll(() => rmSync(corpora, { recursive: true, force: true }));

function keep(directory: string, inputs: readonly Buffer[]): void {
  mkdirSync(directory);
  for (const [index, input] of inputs.entries()) {
    // Large ones only make it slow.
    if (input.length < 65_536)
      writeFileSync(join(directory, String(index).padStart(3, '0')), input);
  }
}

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly complaint: string;
  /** The input that ran last. */
  readonly input: string;
}

async function run(program: string, target: Target, limitSeconds: number): Promise<Outcome> {
  const crashes = join(native, 'dist/asan/fuzz/crashes');
  mkdirSync(crashes, { recursive: true });
  const input = join(crashes, `${basename(program)}-${target}-${seed}`);
  const child = spawn(program, [target, String(limitSeconds), seed, input, corpusOf(target)], {
    // What is still reachable at the end is no leak of a program that runs on.
    env: { ASAN_OPTIONS: 'detect_leaks=0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  child.stdout.on('data', (text: Buffer) => output.push(text.toString()));
  const complaint: string[] = [];
  child.stderr.on('data', (text: Buffer) => complaint.push(text.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output: output.join(''), complaint: complaint.join(''), input };
}

/** Ends with what the program printed; if it crashed, with how to see that again. */
async function fuzz(target: Target): Promise<Record<string, unknown>> {
  const { code, output, complaint, input } = await run(program, target, seconds);
  if (code !== 0)
    throw new Error(`repeat with: ${program} ${target} replay ${input}\n${complaint}`);
  rmSync(input);
  return JSON.parse(output) as Record<string, unknown>;
}

describe('hostile bytes', () => {
  it.each(TARGETS.filter((target) => only === undefined || only === target))(
    'make nothing go wrong in the %s',
    async (target) => {
      const result = await fuzz(target);
      process.stdout.write(`${JSON.stringify(result)}\n`);
      // It found ways that the inputs it was given do not take: it does look.
      expect(result['kept']).toBeGreaterThan(0);
    },
    seconds * 1000 + SLOW_MS,
  );

  it.runIf(only === undefined || only === 'kernel-log')(
    'make go wrong what was broken on purpose',
    async () => {
      // It ends as soon as it has found that.
      const { complaint, input } = await run(planted, 'kernel-log', 60);
      expect(complaint).toMatch(/heap-buffer-overflow[^]*unescapeKmsg/);
      const replayed = spawnSync(program, ['kernel-log', 'replay', input], { encoding: 'utf8' });
      expect(replayed.stdout).toBe('no crash\n');
      rmSync(input);
    },
    SLOW_MS,
  );
});
