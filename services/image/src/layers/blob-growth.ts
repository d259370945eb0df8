import type { Writable } from 'node:stream';

/**
 * How much of a blob is in its file while somebody is still writing it. The one who writes tells; workers follow, as
 * many as there are, before each other or at once.
 */
export interface BlobGrowth {
  /** So many bytes can be read from now on, counted from the start of the blob. Less than before is ignored. */
  advance(bytes: number): void;
  /** Nothing more comes. Workers that wait for more fail with BLOB_BROKEN_OFF. */
  end(): void;
  /** What was written is of no use: work on the blob fails with this. */
  abort(error: Error): void;
  /** Aborted by `abort`, with its error as the reason. */
  readonly aborted: AbortSignal;
  /** Aborted when nothing more comes. */
  readonly ended: AbortSignal;
  /** Tells a worker, as --growth-fd of teu-layer wants it. */
  follow(stream: Writable): void;
}

const TOTAL_BYTES = 8;

export function createBlobGrowth(): BlobGrowth {
  const controller = new AbortController();
  const ending = new AbortController();
  const followers = new Set<() => void>();
  let total = 0;
  let isEnded = false;
  const tell = (): void => {
    for (const follower of followers) follower();
  };
  return {
    aborted: controller.signal,
    ended: ending.signal,
    advance: (bytes) => {
      if (bytes <= total || isEnded) return;
      total = bytes;
      tell();
    },
    end: () => {
      isEnded = true;
      tell();
      ending.abort();
    },
    abort: (error) => {
      isEnded = true;
      controller.abort(error);
      tell();
      ending.abort();
    },
    follow: (stream) => {
      let sent = 0;
      const send = (): void => {
        // One total is under way at a time; the next one says what has come meanwhile.
        if (stream.writableLength > 0) return;
        if (sent < total) {
          sent = total;
          stream.write(encodeTotal(total), send);
        } else if (isEnded && !stream.writableEnded) {
          stream.end();
        }
      };
      const forget = (): void => void followers.delete(send);
      // A worker that has ended reads no more; what it found is its answer.
      stream.on('error', forget).on('close', forget);
      followers.add(send);
      send();
    },
  };
}

function encodeTotal(bytes: number): Buffer {
  const encoded = Buffer.alloc(TOTAL_BYTES);
  encoded.writeBigUInt64LE(BigInt(bytes));
  return encoded;
}
