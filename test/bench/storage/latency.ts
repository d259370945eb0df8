import { mountSnapshot, unmountSnapshot } from '@teu/snapshot-conformance';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median, quantile, table } from '../harness/statistics.js';
import { makeLayer, newKey, type Subject } from './subject.js';

/** How long filling a driver up to the next number may take before that number is given up. */
const FILL_BUDGET_MS = 120_000;
const FILL_AT_ONCE = 8;
const VERBS = ['ping', 'prepare', 'mounts', 'commit', 'remove'] as const;
type Verb = (typeof VERBS)[number];
type Samples = Map<Verb, number[]>;

/**
 * Times each verb while a driver holds 1, 100, … snapshots. Subjects take turns within a round.
 *
 * @returns The table to print.
 */
export async function measureLatency(
  subjects: readonly Subject[],
  counts: readonly number[],
  rounds: number,
  work: string,
): Promise<string> {
  const bases = new Map<Subject, string>();
  const held = new Map<Subject, number>(subjects.map((subject) => [subject, 0]));
  for (const subject of subjects) bases.set(subject, await smallLayer(subject, work));
  const rows: string[][] = [];
  for (const count of counts) {
    const ready: [Subject, Samples][] = [];
    for (const subject of subjects) {
      const isFull = await fill(subject, bases.get(subject) ?? '', held, count);
      if (isFull) ready.push([subject, new Map(VERBS.map((verb) => [verb, []]))]);
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const [subject, samples] of ready) {
        await timeOnce(subject, bases.get(subject) ?? '', samples);
      }
    }
    for (const [subject, samples] of ready) rows.push(rowOf(subject, count, samples));
  }
  const head = VERBS.flatMap((verb) => [`${verb} p50`, 'p99']);
  return table([['ms, by snapshots held', 'held', ...head], ...rows]);
}

async function smallLayer(subject: Subject, work: string): Promise<string> {
  return makeLayer(subject, async (mounts) => {
    const directory = join(work, 'layer');
    await mountSnapshot(mounts, directory);
    writeFileSync(join(directory, 'file'), 'small');
    await unmountSnapshot(directory);
  });
}

/** Adds snapshots until there are `count`. Returns false if that takes too long. */
async function fill(
  subject: Subject,
  base: string,
  held: Map<Subject, number>,
  count: number,
): Promise<boolean> {
  const begin = performance.now();
  for (let have = held.get(subject) ?? 0; have < count; have = held.get(subject) ?? 0) {
    if (performance.now() - begin > FILL_BUDGET_MS) return false;
    const some = Math.min(FILL_AT_ONCE, count - have);
    await Promise.all(
      Array.from({ length: some }, () =>
        subject.client.prepare(newKey(subject), base, subject.labels),
      ),
    );
    held.set(subject, have + some);
  }
  return true;
}

async function timeOnce(subject: Subject, base: string, samples: Samples): Promise<void> {
  const { client, labels } = subject;
  const key = newKey(subject);
  const time = async (verb: Verb, call: () => Promise<unknown>): Promise<void> => {
    const begin = performance.now();
    await call();
    samples.get(verb)?.push(performance.now() - begin);
  };
  await time('ping', () => subject.ping());
  await time('prepare', () => client.prepare(key, base, labels));
  await time('mounts', () => client.mounts(key));
  await time('commit', () => client.commit(`${key} done`, key, labels));
  await time('remove', () => client.remove(`${key} done`));
}

function rowOf(subject: Subject, count: number, samples: Samples): string[] {
  const cells = VERBS.flatMap((verb) => {
    const times = samples.get(verb) ?? [];
    return [median(times).toFixed(2), quantile(times, 0.99).toFixed(2)];
  });
  return [subject.name, String(count), ...cells];
}
