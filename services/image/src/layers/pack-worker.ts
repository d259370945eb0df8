import { spawn, type ChildProcess } from 'node:child_process';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArchivePiece, ArchivePlan } from '../archive/archive-pieces.js';
import { parsePackAnswer, packFailure, type PackedArchive } from './pack-report.js';
import { collect, collectAnswer, ended, withoutAnswer } from './worker-process.js';

/** What all packing needs. */
export interface PackWork {
  plan: ArchivePlan;
  /** The directory of the blobs. */
  blobs: FileHandle;
  signal: AbortSignal;
}

/** Runs teu-pack: one short-lived program for each archive that is written. */
export interface PackWorker {
  /**
   * Writes an archive to a new file and syncs it.
   * @throws DIGEST_MISMATCH, BLOB_NOT_FOUND, STORAGE_FULL, STORAGE_FAILED
   */
  toFile(
    work: PackWork & { file: FileHandle; progress: (bytes: number) => void },
  ): Promise<PackedArchive>;
  /** Gives the bytes of an archive as they are asked for. Throws as `toFile` does; what ends without error is whole. */
  stream(work: PackWork): AsyncGenerator<Buffer, void, undefined>;
}

const BLOBS_FD = 3;
const OUTPUT_FD = 4;
const PROGRESS_BYTES = 16 * 1024 * 1024;

export function createPackWorker(binary: string): PackWorker {
  const common = ({ plan }: PackWork): string[] => [
    ...['--blobs-fd', String(BLOBS_FD), '--output-fd', String(OUTPUT_FD)],
    ...['--size', String(plan.size)],
  ];
  return {
    toFile: async (work) => {
      const args = [...common(work), '--file', '--progress-bytes', String(PROGRESS_BYTES)];
      const child = startPacking(binary, args, work, work.file.fd);
      return child.finish(work.progress);
    },
    stream: async function* (work) {
      const child = startPacking(binary, common(work), work, 'pipe');
      const finished = child.finish(() => undefined);
      // Looked at below; the reader may stop before.
      finished.catch(() => undefined);
      try {
        for await (const chunk of child.output()) yield chunk;
        await finished;
      } finally {
        child.kill();
        await finished.catch(() => undefined);
      }
    },
  };
}

interface Packing {
  /** What it writes, if that is a pipe. */
  output(): AsyncIterable<Buffer>;
  /** Waits for its end and for its answer. */
  finish(progress: (bytes: number) => void): Promise<PackedArchive>;
  kill(): void;
}

function startPacking(
  binary: string,
  args: readonly string[],
  { plan, blobs, signal }: PackWork,
  output: number | 'pipe',
): Packing {
  signal.throwIfAborted();
  const child: ChildProcess = spawn(binary, args, {
    env: {},
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe', blobs.fd, output],
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  return {
    output: () => child.stdio[OUTPUT_FD] as Readable,
    kill,
    finish: async (progress) => {
      try {
        const [answer, complaint, end] = await Promise.all([
          collectAnswer(child.stdout, progress),
          collect(child.stderr),
          ended(child),
          writePlan(child, plan.pieces),
        ]);
        signal.throwIfAborted();
        const parsed = parsePackAnswer(answer);
        if (end.code === 0 && parsed?.kind === 'done') return parsed.archive;
        if (parsed?.kind === 'failed') throw packFailure(parsed.failure);
        throw withoutAnswer('teu-pack', end, complaint);
      } finally {
        signal.removeEventListener('abort', kill);
      }
    },
  };
}

/** A program that has failed stops reading its plan; its answer says why. */
async function writePlan(child: ChildProcess, pieces: readonly ArchivePiece[]): Promise<void> {
  if (child.stdin === null) return;
  await pipeline(Readable.from(planLines(pieces)), child.stdin).catch(() => undefined);
}

function* planLines(pieces: readonly ArchivePiece[]): Generator<Buffer> {
  for (const piece of pieces) {
    if ('blob' in piece) {
      const { digest, size } = piece.blob;
      yield Buffer.from(`blob ${digest.slice('sha256:'.length)} ${size}\n`);
    } else if (piece.text.length > 0) {
      yield Buffer.concat([Buffer.from(`text ${piece.text.length}\n`), piece.text]);
    }
  }
}
