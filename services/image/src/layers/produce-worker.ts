import type { FileHandle } from 'node:fs/promises';
import { teuError, type Reason } from '@teu/errors';
import type { ParsedMount } from '@teu/mounts';
import { parseReport, type LayerFailure, type LayerReport } from './layer-report.js';
import { mountArguments, type LayerLimits } from './layer-worker.js';
import { OUTPUT_FD, PROGRESS_BYTES, streamTar, writeTar, type TarProgram } from './tar-program.js';
import type { TreePair } from './tree-worker.js';

/** A layer to be made of what two trees differ in. */
export interface LayerWork {
  trees: TreePair;
  compression: LayerReport['compression'];
  /** Paths that are left out if they were added and are empty. */
  excluded: readonly string[];
  file: FileHandle;
  signal: AbortSignal;
}

/** A tree of which a tar is made; it may be written to meanwhile. */
export interface TreeWork {
  tree: ParsedMount[];
  signal: AbortSignal;
}

/** Runs teu-layer to make tars of trees: one short-lived program in a cage of its own for each. */
export interface ProduceWorker {
  /**
   * Writes a layer to a new file and syncs it.
   * @throws CONFLICT if it was seen that a tree was written to meanwhile, LAYER_TOO_LARGE, INVALID_STATE if a name is one
   *   that no layer can have, STORAGE_FULL, STORAGE_FAILED
   */
  layer(work: LayerWork): Promise<LayerReport>;
  /** Writes the whole of a tree to a new file and syncs it. */
  toFile(
    work: TreeWork & { file: FileHandle; progress: (bytes: number) => void },
  ): Promise<LayerReport>;
  /** Gives the bytes of a tree's tar as they are asked for. What ends without error is whole. */
  stream(work: TreeWork): AsyncGenerator<Buffer, void, undefined>;
}

export function createProduceWorker(options: {
  binary: string;
  /** An empty directory; mounted on only in the workers' own namespaces. */
  cageDirectory: string;
  limits: Pick<LayerLimits, 'maxLayerBytes' | 'maxLayerEntries'>;
}): ProduceWorker {
  const { binary, cageDirectory, limits } = options;
  const common = ['produce', '--cage', cageDirectory, '--output-fd', String(OUTPUT_FD)];
  const bounds = [
    ...['--max-bytes', String(limits.maxLayerBytes)],
    ...['--max-entries', String(limits.maxLayerEntries)],
  ];
  const producing = (args: readonly string[], signal: AbortSignal): TarProgram<LayerReport> => ({
    ...{ binary, signal, parse: parseProduced },
    args: [...common, ...args],
  });
  // What a tree has was let in by other limits; for people it is written whatever its size.
  const whole = ({ tree, signal }: TreeWork): TarProgram<LayerReport> =>
    producing(
      [
        ...['--form', 'tree', '--progress-bytes', String(PROGRESS_BYTES)],
        ...['--max-bytes', String(Number.MAX_SAFE_INTEGER), '--max-entries', String(2 ** 40)],
        ...treeArguments('changed', tree),
      ],
      signal,
    );
  return {
    layer: async ({ trees, compression, excluded, file, signal }) => {
      const args = [
        ...[...bounds, '--compression', compression],
        ...(trees.descends ? ['--descends'] : []),
        ...excluded.flatMap((path) => ['--excluded', path]),
        ...(trees.old === undefined ? [] : treeArguments('old', trees.old)),
        ...treeArguments('changed', trees.changed),
      ];
      return writeTar(producing(args, signal), file.fd);
    },
    toFile: async (work) => writeTar(whole(work), work.file.fd, work.progress),
    stream: (work) => streamTar(whole(work)),
  };
}

function treeArguments(name: string, mounts: readonly ParsedMount[]): string[] {
  return ['--tree', name, ...mounts.flatMap(mountArguments)];
}

function parseProduced(line: string): LayerReport | undefined {
  const answer = parseReport(line);
  if (answer?.kind === 'failed') throw produceFailure(answer.failure);
  return answer?.report;
}

/** The error for a tree that no tar could be made of; it names the path and the step. */
export function produceFailure(failure: LayerFailure): Error {
  const { code, message, step, entry, errnoName } = failure;
  const where = entry === '' ? '' : ` at ${JSON.stringify(entry.slice(0, 4096))}`;
  const errno = errnoName === '' ? '' : ` (${errnoName})`;
  return teuError(
    reasonOf(failure),
    `no tar can be made of the tree${where}: step "${step}": ${message}${errno}`,
    {
      metadata: {
        code,
        step,
        ...(entry === '' ? {} : { entry: entry.slice(0, 4096) }),
        ...(errnoName === '' ? {} : { errno: errnoName }),
      },
    },
  );
}

function reasonOf({ code, errnoName, step }: LayerFailure): Reason {
  if (step.includes('mounts')) return 'MOUNT_FAILED';
  if (code === 'LIMIT_EXCEEDED') return 'LAYER_TOO_LARGE';
  if (code === 'RESERVED_NAME' || code === 'RESERVED_DEVICE') return 'INVALID_STATE';
  // Somebody wrote to the tree meanwhile.
  const isGone = errnoName === 'ESTALE' || errnoName === 'ENOENT';
  if (code === 'CHANGED' || code === 'MOVED' || isGone) return 'CONFLICT';
  if (code !== 'SYSCALL') return 'INTERNAL';
  return errnoName === 'ENOSPC' || errnoName === 'EDQUOT' ? 'STORAGE_FULL' : 'STORAGE_FAILED';
}
