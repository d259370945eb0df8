import { setTimeout as delay } from 'node:timers/promises';
import { connectionFailure, ConnectionFailure, type HttpResponse } from './transport.js';

/** Less than this in one span of patience counts as nothing. */
const PIECE_BYTES = 1024;

/**
 * Gives a body piece by piece. Only time spent waiting for the other side counts: who is slow to take the pieces
 * may be. A trickle is a stall as well.
 * @throws ConnectionFailure when it breaks off or stalls
 */
export async function* bodyChunks(
  { body }: Pick<HttpResponse, 'body'>,
  stallMs: number,
): AsyncGenerator<Buffer> {
  const chunks = body.iterator({ destroyOnReturn: true })[Symbol.asyncIterator]();
  let left = stallMs;
  let bytes = 0;
  try {
    for (;;) {
      const begin = performance.now();
      const next = await nextWithin(chunks, left, stallMs);
      if (next.done === true) {
        if (!body.complete) throw new ConnectionFailure('lost', 'the connection broke');
        return;
      }
      const chunk = next.value as Buffer;
      left -= performance.now() - begin;
      bytes += chunk.length;
      if (bytes >= PIECE_BYTES) {
        bytes = 0;
        left = stallMs;
      }
      yield chunk;
    }
  } finally {
    body.destroy();
  }
}

async function nextWithin(
  chunks: AsyncIterator<unknown>,
  leftMs: number,
  stallMs: number,
): Promise<IteratorResult<unknown>> {
  const limit = new AbortController();
  const timeout = delay(Math.max(1, leftMs), 'stalled' as const, { signal: limit.signal });
  timeout.catch(() => undefined);
  try {
    const next = chunks.next().catch((error: unknown) => {
      throw connectionFailure(error);
    });
    const first = await Promise.race([next, timeout]);
    if (first !== 'stalled') return first;
    next.catch(() => undefined);
    const seconds = Math.round(stallMs / 1000);
    throw new ConnectionFailure('stalled', `no more than a trickle came for ${seconds} s`);
  } finally {
    limit.abort();
  }
}

/** A small document may take this many times the patience for a piece. */
const DOCUMENT_SPANS = 4;

/**
 * Reads at most `limit` bytes and one; "too long" if there are more.
 * @throws ConnectionFailure when it breaks off, stalls, or takes four times as long as a piece may
 */
export async function readAtMost(
  response: HttpResponse,
  limit: number,
  stallMs: number,
): Promise<Buffer | 'too long'> {
  if (Number(response.headers['content-length'] ?? 0) > limit) {
    response.body.destroy();
    return 'too long';
  }
  const pieces: Buffer[] = [];
  let size = 0;
  const end = performance.now() + DOCUMENT_SPANS * stallMs;
  for await (const chunk of bodyChunks(response, stallMs)) {
    pieces.push(chunk);
    size += chunk.length;
    if (size > limit) return 'too long';
    if (performance.now() > end) throw new ConnectionFailure('stalled', 'it comes too slowly');
  }
  return Buffer.concat(pieces);
}

/** Reads the beginning of what only explains an error. Never fails. */
export async function readBeginning(
  response: HttpResponse,
  limit: number,
  stallMs: number,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  const end = performance.now() + stallMs;
  try {
    for await (const chunk of bodyChunks(response, stallMs)) {
      pieces.push(chunk.subarray(0, limit - size));
      size += chunk.length;
      if (size >= limit || performance.now() > end) break;
    }
  } catch {
    // What came will do.
  }
  return Buffer.concat(pieces);
}
