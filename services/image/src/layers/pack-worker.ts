import type { FileHandle } from 'node:fs/promises';
import type { ArchivePiece, ArchivePlan } from '../archive/archive-pieces.js';
import { parsePackAnswer, packFailure, type PackedArchive } from './pack-report.js';
import {
  FIRST_FILE_FD,
  OUTPUT_FD,
  PROGRESS_BYTES,
  streamTar,
  writeTar,
  type TarProgram,
} from './tar-program.js';

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

export function createPackWorker(binary: string): PackWorker {
  const packing = ({ plan, blobs, signal }: PackWork): TarProgram<PackedArchive> => ({
    ...{ binary, signal, parse: parsePacked },
    args: [
      ...['--blobs-fd', String(FIRST_FILE_FD), '--output-fd', String(OUTPUT_FD)],
      ...['--size', String(plan.size)],
    ],
    files: [blobs.fd],
    input: () => planLines(plan.pieces),
  });
  return {
    toFile: async (work) => {
      const program = packing(work);
      const args = [...program.args, '--file', '--progress-bytes', String(PROGRESS_BYTES)];
      return writeTar({ ...program, args }, work.file.fd, work.progress);
    },
    stream: (work) => streamTar(packing(work)),
  };
}

function parsePacked(line: string): PackedArchive | undefined {
  const answer = parsePackAnswer(line);
  if (answer?.kind === 'failed') throw packFailure(answer.failure);
  return answer?.archive;
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
