import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REFUSED } from '../layer/hostile-list.js';
import { dir, file, hard, link, tar, xattr } from '../layer/tar-builder.js';

const native = fileURLToPath(new URL('../../', import.meta.url));
const program = join(native, 'dist/asan/fuzz/teu-fuzz');
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

let corpus: string;

beforeAll(() => {
  // Test files run side by side, and make does not expect to.
  const make = ['make', '-s', '-j2', '-f', 'fuzz/rules.mk', 'dist/asan/fuzz/teu-fuzz'];
  const made = spawnSync('flock', ['fuzz/rules.mk', ...make], { cwd: native, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`teu-fuzz cannot be built: ${made.stderr}`);
  corpus = mkdtempSync(join(tmpdir(), 'teu-fuzz-'));
  const hostile = REFUSED.map(([, layers]) => tar(...layers.flat()));
  for (const [index, input] of [...GOOD, ...hostile].entries()) {
    // Large ones only make it slow.
    if (input.length < 65_536) writeFileSync(join(corpus, String(index).padStart(3, '0')), input);
  }
}, SLOW_MS);

afterAll(() => rmSync(corpus, { recursive: true, force: true }));

/** Ends with what the program printed; if it crashed, with how to see that again. */
async function fuzz(target: string): Promise<Record<string, unknown>> {
  const crashes = join(native, 'dist/asan/fuzz/crashes');
  mkdirSync(crashes, { recursive: true });
  const crash = join(crashes, `${target}-${seed}`);
  const child = spawn(program, [target, String(seconds), seed, crash, corpus], {
    // What is still reachable at the end is no leak of a program that runs on.
    env: { ASAN_OPTIONS: 'detect_leaks=0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  child.stdout.on('data', (text: Buffer) => output.push(text.toString()));
  const complaint: string[] = [];
  child.stderr.on('data', (text: Buffer) => complaint.push(text.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) {
    throw new Error(`repeat with: ${program} ${target} replay ${crash}\n${complaint.join('')}`);
  }
  rmSync(crash);
  return JSON.parse(output.join('')) as Record<string, unknown>;
}

describe('hostile bytes', () => {
  it.each(['reader', 'writer'].filter((target) => only === undefined || only === target))(
    'make nothing go wrong in the %s',
    async (target) => {
      const result = await fuzz(target);
      process.stdout.write(`${JSON.stringify(result)}\n`);
      // It found ways that the inputs it was given do not take: it does look.
      expect(result['kept']).toBeGreaterThan(0);
    },
    seconds * 1000 + SLOW_MS,
  );
});
