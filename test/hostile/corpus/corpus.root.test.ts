import { isTeuError, type TeuError } from '@teu/errors';
import { patient, requires, waitFor } from '@teu/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCanary, type Canary } from '../canary.js';
import { attributeCases } from './cases/attributes.js';
import { bombCases } from './cases/bombs.js';
import { controlCases } from './cases/control-data.js';
import { digestCases } from './cases/digests.js';
import { dockerCases } from './cases/docker-load.js';
import { documentCases } from './cases/documents.js';
import { manifestCases } from './cases/manifests.js';
import { pathCases } from './cases/paths.js';
import { tarCases } from './cases/tar-forms.js';
import { NOTHING_LEFT, startCorpusStand, type CorpusStand } from './corpus-stand.js';
import type { Harmless, HostileCase, Refusal } from './hostile-case.js';
import { MESSAGE_LENGTH, ROW_MS, SERVICE_GROWTH_BYTES, WORKER_BYTES } from './limits.js';
import { residentBytes, watchMemory } from './peak-memory.js';

// Archives and images that were made to do harm. Each is refused for what it is, or is harmless as it is read; soon, with
// little memory, and nothing of it is left.
const DRIVER = 'overlay2';

let stand: CorpusStand;
let canary: Canary;
let before: unknown;

beforeAll(async () => {
  requires('root', 'overlayfs');
  stand = await startCorpusStand([DRIVER]);
  canary = makeCanary(stand.directory);
  before = canary.look();
});
afterAll(async () => {
  await stand.stop();
});
afterEach(async () => {
  const isClean = async (): Promise<boolean> => {
    expect(await stand.leftovers()).toEqual(NOTHING_LEFT);
    return true;
  };
  await waitFor(isClean, { what: 'nothing being left' });
  expect(canary.look()).toEqual(before);
});

/** Loads a row within its bounds; gives the error that refused it, or nothing. */
async function put({ make }: HostileCase): Promise<TeuError | undefined> {
  const archive = make();
  const { pid } = stand.service;
  const idle = residentBytes(pid);
  const begin = performance.now();
  const load = async (): Promise<unknown> => {
    try {
      await stand.load(archive);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const { result, peak } = await watchMemory(pid, load);
  expect(performance.now() - begin).toBeLessThan(patient(ROW_MS));
  expect(peak.worker).toBeLessThan(WORKER_BYTES);
  expect(peak.service - idle).toBeLessThan(SERVICE_GROWTH_BYTES);
  if (result !== undefined && !isTeuError(result)) {
    throw new Error('it failed otherwise', { cause: result });
  }
  return result;
}

function expectRefusal(error: TeuError | undefined, refusal: Refusal): void {
  const { reason, code, entry, text } = refusal;
  expect(error?.reason, error?.message).toBe(reason);
  const { message = '', metadata = {} } = error ?? {};
  if (code !== undefined) expect(metadata['code'], message).toBe(code);
  if (entry !== undefined) {
    expect(metadata['entry']).toBe(entry);
    expect(message).toContain(JSON.stringify(entry));
  }
  if (text !== undefined) expect(message).toMatch(text);
  expect(message).not.toContain(stand.directory);
  expect(message.length).toBeLessThan(MESSAGE_LENGTH);
}

async function expectHarmless({ look, sees }: Harmless): Promise<void> {
  const [image] = await stand.list();
  if (image === undefined) throw new Error('there is no image');
  expect(await stand.look(DRIVER, image.layers.at(-1)?.chainId ?? '', look)).toBe(sees);
}

describe.each([
  ['names and links that lead out', pathCases],
  ['attributes and devices', attributeCases],
  ['bombs', bombCases],
  ['tars that say what cannot be', tarCases],
  ['documents', documentCases],
  ['digests', digestCases],
  ['manifests', manifestCases],
  ['values that look like orders', controlCases],
  ['archives of docker', dockerCases],
] as const)('%s', (_, cases) => {
  test.each(cases.map((row): [string, HostileCase] => [row.what, row]))('%s', async (__, row) => {
    const error = await put(row);
    try {
      if ('reason' in row.outcome) {
        expectRefusal(error, row.outcome);
        expect(await stand.list()).toEqual([]);
      } else {
        expect(error).toBeUndefined();
        await expectHarmless(row.outcome);
      }
    } finally {
      for (const image of await stand.list()) await stand.remove(image);
    }
  });
});
