import { OutputStream } from '@teu/proto/executor';
import type { ProcessOutput } from './attachment.js';

/** Output of a program, cut to a size. */
export interface CollectedOutput {
  stdout: Buffer;
  stderr: Buffer;
  truncated: boolean;
}

const STREAM_BYTES_MAX = 1024 * 1024;

/** Reads output to its end and keeps the beginning of each stream. */
export async function collectOutput(
  output: AsyncIterable<ProcessOutput>,
): Promise<CollectedOutput> {
  const stdout = new BoundedBuffer(STREAM_BYTES_MAX);
  const stderr = new BoundedBuffer(STREAM_BYTES_MAX);
  for await (const part of output) {
    if (part.$case !== 'record') continue;
    const { stream, data } = part.value;
    (stream === OutputStream.OUTPUT_STREAM_STDERR ? stderr : stdout).add(data);
  }
  const truncated = stdout.truncated || stderr.truncated;
  return { stdout: stdout.bytes(), stderr: stderr.bytes(), truncated };
}

class BoundedBuffer {
  readonly #capacity: number;
  readonly #pieces: Buffer[] = [];
  #size = 0;
  truncated = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(data: Buffer): void {
    const room = this.#capacity - this.#size;
    if (data.length > room) this.truncated = true;
    if (room === 0) return;
    const piece = data.subarray(0, room);
    this.#pieces.push(piece);
    this.#size += piece.length;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}
