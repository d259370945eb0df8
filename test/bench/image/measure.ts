import { join } from 'node:path';
import { makeFilesystem } from '../harness/filesystem.js';
import { capture } from '../harness/process.js';
import type { Form, ImageContender, ImageStore, Operation } from './contender.js';
import type { ImageFixture } from './fixture.js';
import { watchMemory } from './peak-memory.js';
import { startRegistry } from './registry.js';

/** One measured operation. */
export interface Sample {
  readonly contender: string;
  readonly operation: Operation;
  /** Until it answers. */
  readonly answerMs: number;
  /** From then until all is on the disk (syncfs of its file system). */
  readonly syncMs: number;
  /** Most memory seen while it worked, in bytes. */
  readonly peakBytes: number;
}

/** What a round works with. */
export interface RoundInput {
  readonly directory: string;
  readonly fixture: ImageFixture;
  /** Name of the image at a registry that has it. */
  readonly remoteName: string;
  readonly wanted: (operation: Operation) => boolean;
  report(sample: Sample): void;
  failed(contender: string, operation: Operation, error: unknown): void;
}

/** Room for the image unpacked, its blob, and a copy of it; docker and podman also make temporary ones. */
const STORE_BYTES = 12 * 2 ** 30;
const FORMS: readonly Form[] = ['plain', 'gzip', 'zstd'];

/**
 * All operations of one contender, those that take an image each on an empty store on a new file system: where tens of
 * thousands of files were deleted a moment ago ext4 is ten times slower, for everybody.
 */
export async function measureRound(contender: ImageContender, input: RoundInput): Promise<void> {
  for (const form of FORMS) {
    const operation: Operation = `load ${form}`;
    const isSource = form === 'gzip' && (input.wanted('save') || input.wanted('push'));
    if (!input.wanted(operation) && !isSource) continue;
    await onEmptyStore(contender, input, async (store, path) => {
      const { load, save, push } = store;
      if (load === undefined) return;
      const run = timer(contender, input, store, path);
      if (!(await run(operation, () => load(input.fixture.archive(form), form)))) return;
      if (form !== 'gzip') return;
      if (save) await run('save', () => save(join(path, 'saved.tar')));
      if (push) await pushSomewhere(input, (host) => run('push', () => push(`${host}/bench:push`)));
    });
  }
  if (!input.wanted('pull') && !input.wanted('pull again')) return;
  await onEmptyStore(contender, input, async (store, path) => {
    const { pull } = store;
    if (pull === undefined) return;
    const run = timer(contender, input, store, path);
    const take = () => pull(input.remoteName);
    if (await run('pull', take)) await run('pull again', take);
  });
}

async function pushSomewhere(
  { directory, wanted }: RoundInput,
  push: (host: string) => Promise<unknown>,
): Promise<void> {
  if (!wanted('push')) return;
  const filesystem = makeFilesystem(join(directory, 'registry'), 'ext4', STORE_BYTES);
  const registry = await startRegistry(join(filesystem.path, 'registry'));
  try {
    await push(registry.host);
  } finally {
    await registry.close();
    await filesystem.close();
  }
}

async function onEmptyStore(
  contender: ImageContender,
  { directory }: RoundInput,
  work: (store: ImageStore, path: string) => Promise<void>,
): Promise<void> {
  const filesystem = makeFilesystem(join(directory, 's'), 'ext4', STORE_BYTES);
  try {
    const store = await contender.open(filesystem.path);
    try {
      await work(store, filesystem.path);
    } finally {
      await store.close();
    }
  } finally {
    await filesystem.close();
  }
}

/** Gives what times an operation and tells whether it succeeded. */
function timer(contender: ImageContender, input: RoundInput, store: ImageStore, path: string) {
  return async (operation: Operation, work: () => Promise<void>): Promise<boolean> => {
    capture('sync', ['--file-system', path]);
    const peak = watchMemory(() => store.pids());
    const begin = performance.now();
    try {
      await work();
    } catch (error) {
      peak();
      input.failed(contender.name, operation, error);
      return false;
    }
    const answered = performance.now();
    const peakBytes = peak();
    capture('sync', ['--file-system', path]);
    const syncMs = performance.now() - answered;
    const answerMs = answered - begin;
    if (input.wanted(operation)) {
      input.report({ contender: contender.name, operation, answerMs, syncMs, peakBytes });
    }
    return true;
  };
}
