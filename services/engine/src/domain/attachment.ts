import { setTimeout as delay } from 'node:timers/promises';
import { isTeuError } from '@teu/errors';
import {
  ExecutorServiceService,
  type AttachProcessRequest,
  type AttachProcessResponse,
} from '@teu/proto/executor';
import type { EngineParts } from './engine-parts.js';
import { ResumableInput } from './resumable-input.js';

/** What to attach to. */
export interface AttachmentTarget {
  containerId: string;
  /** Empty for the container's first process. */
  execId: string;
  /** Offset in the log to begin at; -1 for its present end. */
  fromOffset: number;
}

/** What a client sends to a process. */
export type ProcessInput = Exclude<NonNullable<AttachProcessRequest['part']>, { $case: 'attach' }>;
/** What a process sends to a client. */
export type ProcessOutput = NonNullable<AttachProcessResponse['part']>;

/** How long an attachment outlives an executor that is gone; it is usually back in a second. */
const PATIENCE_MS = 15_000;
const RETRY_MS = 50;

/**
 * Connects a client to a process, without loss in both directions: a slow client holds the process up. Goes on where
 * it was when the executor was away for a while.
 */
export async function* attach(
  parts: Pick<EngineParts, 'peers' | 'log'>,
  target: AttachmentTarget,
  input: AsyncIterable<ProcessInput>,
  signal: AbortSignal,
): AsyncGenerator<ProcessOutput, void, undefined> {
  const resumable = new ResumableInput(input);
  let { fromOffset } = target;
  let announced = false;
  let lostSince: number | undefined;
  for (;;) {
    try {
      for await (const part of attachOnce(parts, { ...target, fromOffset }, resumable, signal)) {
        if (part.$case !== 'attached') lostSince = undefined;
        if (part.$case === 'attached') {
          fromOffset = part.value.offset;
          if (announced) continue;
          announced = true;
        }
        if (part.$case === 'record') fromOffset = part.value.nextOffset;
        yield part;
        if (part.$case === 'exit') return;
      }
      return;
    } catch (error) {
      lostSince ??= performance.now();
      const given = performance.now() - lostSince;
      if (signal.aborted || !isBrokenLine(error) || given > PATIENCE_MS) throw error;
      parts.log.info({ container_id: target.containerId }, 'attaching again');
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** A server that goes away ends its streams in several ways; its own errors have a reason or a correlation id. */
function isBrokenLine(error: unknown): boolean {
  if (!isTeuError(error)) return false;
  const { reason, metadata } = error;
  if (reason === 'INTERNAL') return metadata['correlation_id'] === undefined;
  return reason === 'UNAVAILABLE' || reason === 'CANCELLED' || reason === 'UNKNOWN';
}

async function* attachOnce(
  { peers }: Pick<EngineParts, 'peers'>,
  { containerId, execId, fromOffset }: AttachmentTarget,
  input: ResumableInput<ProcessInput>,
  signal: AbortSignal,
): AsyncGenerator<ProcessOutput, void, undefined> {
  const ended = new AbortController();
  const requests = async function* (): AsyncGenerator<AttachProcessRequest, void, undefined> {
    const value = { containerId, execId, fromOffset, lossless: true };
    yield { part: { $case: 'attach', value } };
    for await (const part of input.read(ended.signal)) yield { part };
  };
  try {
    const answers = peers.executor.bidi(ExecutorServiceService.attachProcess, requests(), {
      signal,
    });
    for await (const { part } of answers) if (part !== undefined) yield part;
  } finally {
    ended.abort();
  }
}
