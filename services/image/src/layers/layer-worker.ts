import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { ParsedMount } from '@teu/mounts';
import type { BlobPlace } from '../archive/image-files.js';
import type { Compression } from '../domain/media-types.js';
import type { BlobGrowth } from './blob-growth.js';
import { layerFailure, parseReport, type BlobRole, type LayerReport } from './layer-report.js';
import { limitTime } from './time-limit.js';
import { collect, collectAnswer, ended, withoutAnswer } from './worker-process.js';

/** Bounds that teu-layer enforces. */
export interface LayerLimits {
  /** Of one layer, uncompressed. */
  maxLayerBytes: number;
  maxLayerEntries: number;
  /** Uncompressed to compressed. */
  maxLayerRatio: number;
  /** Wall-clock time that unpacking one layer may take, in milliseconds. */
  maxLayerTime: number;
}

/** What all work on a blob needs to know. */
export interface BlobWork {
  blob: BlobPlace;
  compression: Compression;
  /** Given if the blob's file is still being written: it is read as far as it is there, and no slower. */
  growth?: BlobGrowth;
  /** Where the blob is copied to while it is read. */
  copyTo?: FileHandle;
  signal: AbortSignal;
  /** Told now and then how many bytes of the blob were read. */
  progress?: (bytes: number) => void;
  /** For errors; a layer if absent. */
  role?: BlobRole;
}

/** Runs teu-layer: one short-lived program in a cage of its own for each layer. */
export interface LayerWorker {
  /**
   * Writes a layer into a driver's mounts and syncs it, with the copy; not the blob itself, if that is growing.
   * @throws an error that `needsParent` knows, with `standalone`, if it cannot be written without the layer below
   */
  apply(work: BlobWork & { mounts: ParsedMount[]; standalone?: boolean }): Promise<LayerReport>;
  /** Hashes a blob, and copies it if asked to; `decodeTo` gets its bytes uncompressed. */
  copy(work: BlobWork & { decodeTo?: FileHandle }): Promise<LayerReport>;
}

const BLOB_FD = 3;
const PROGRESS_BYTES = 16 * 1024 * 1024;

export function createLayerWorker(options: {
  binary: string;
  /** An empty directory; mounted on only in the workers' own namespaces. */
  cageDirectory: string;
  limits: LayerLimits;
}): LayerWorker {
  const { cageDirectory, limits } = options;
  mkdirSync(cageDirectory, { recursive: true, mode: 0o700 });
  const common = ({ blob, compression, progress }: BlobWork): string[] => [
    ...(progress ? ['--progress-bytes', String(PROGRESS_BYTES)] : []),
    ...['--blob-fd', String(BLOB_FD), '--compression', compression],
    ...['--blob-offset', String(blob.offset), '--blob-length', String(blob.size)],
    ...['--max-bytes', String(limits.maxLayerBytes)],
    ...['--max-entries', String(limits.maxLayerEntries)],
    ...['--max-ratio', String(limits.maxLayerRatio)],
  ];
  return {
    apply: (work) => {
      const extra = work.copyTo ? [work.copyTo] : [];
      const cage = ['--cage', cageDirectory, ...work.mounts.flatMap(mountArguments)];
      const copy = work.copyTo ? ['--copy-fd', String(BLOB_FD + 1)] : [];
      const alone = work.standalone === true ? ['--standalone'] : [];
      return runLimited(
        options,
        ['apply', ...common(work), ...cage, ...copy, ...alone],
        work,
        extra,
      );
    },
    copy: (work) => {
      const targets: [string, FileHandle | undefined][] = [
        ['--copy-fd', work.copyTo],
        ['--decoded-fd', work.decodeTo],
      ];
      const given = targets.filter((pair): pair is [string, FileHandle] => pair[1] !== undefined);
      const flags = given.flatMap(([flag], index) => [flag, String(BLOB_FD + 1 + index)]);
      const files = given.map(([, file]) => file);
      return runLimited(options, ['copy', ...common(work), ...flags], work, files);
    },
  };
}

/** A mount as native programs take it. */
export function mountArguments({ type, source, target, flags, data }: ParsedMount): string[] {
  return ['--mount', type, source, target, String(flags), data];
}

/** Has it end with the caller, when its time is over, and when the blob is given up. */
async function runLimited(
  { binary, limits }: { binary: string; limits: LayerLimits },
  args: string[],
  work: BlobWork,
  files: FileHandle[],
): Promise<LayerReport> {
  const { growth } = work;
  const time = limitTime(limits.maxLayerTime, growth);
  const signal = AbortSignal.any([work.signal, time.signal, ...(growth ? [growth.aborted] : [])]);
  try {
    return await runWorker(binary, args, { ...work, signal }, files);
  } finally {
    time.clear();
  }
}

async function runWorker(
  binary: string,
  args: string[],
  { blob, growth, signal, progress, role = 'layer' }: BlobWork,
  files: FileHandle[],
): Promise<LayerReport> {
  signal.throwIfAborted();
  const fds = [blob.file.fd, ...files.map((file) => file.fd)];
  const growthFd = BLOB_FD + fds.length;
  const following = growth ? ['--growth-fd', String(growthFd)] : [];
  // Not on the road of a start; and the process that forks here is a small one.
  const child = spawn(binary, [...args, ...following], {
    env: {},
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe', ...fds, ...(growth ? ['pipe' as const] : [])],
  });
  if (growth) growth.follow(child.stdio[growthFd] as Writable);
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    const [output, complaint, exit] = await Promise.all([
      collectAnswer(child.stdout, progress),
      collect(child.stderr),
      ended(child),
    ]);
    signal.throwIfAborted();
    const report = parseReport(output);
    if (exit.code === 0 && report?.kind === 'done') return report.report;
    if (report?.kind === 'failed') throw layerFailure(report.failure, role);
    throw withoutAnswer('teu-layer', exit, complaint);
  } finally {
    signal.removeEventListener('abort', kill);
  }
}
