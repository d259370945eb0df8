import { randomBytes } from 'node:crypto';
import { REASONS, type Reason } from './reasons.js';
import type { StatusName } from './status.js';

export interface TeuErrorOptions {
  /** Whatever in the message changes from case to case, for programs. Public, like the message. */
  metadata?: Record<string, string>;
  /** What led to it: goes to the log and never leaves the process. Host paths belong here. */
  cause?: unknown;
}

const brand = Symbol.for('teu.error');

/**
 * The error that crosses service boundaries. It has no numeric `code` on purpose: grpc-js takes any
 * integer `code` for a gRPC status, and errno values are integers.
 */
export class TeuError extends Error {
  readonly reason: Reason;
  readonly status: StatusName;
  readonly metadata: Record<string, string>;
  readonly [brand] = true;

  /** @param message public text: names the object, the step and what is left behind. */
  constructor(reason: Reason, message: string, options: TeuErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'TeuError';
    this.reason = reason;
    this.status = REASONS[reason].status;
    this.metadata = options.metadata ?? {};
  }

  /** True if the same call may succeed later without anybody changing anything. */
  get retryable(): boolean {
    return REASONS[this.reason].retryable;
  }
}

/** Makes an error with a reason of the registry; see TeuError for what goes where. */
export function teuError(reason: Reason, message: string, options?: TeuErrorOptions): TeuError {
  return new TeuError(reason, message, options);
}

/** True for an error of this kind, whichever bundle made it; with a reason, only for that one. */
export function isTeuError(error: unknown, reason?: Reason): error is TeuError {
  return (
    error instanceof Error && brand in error && (reason === undefined || reasonOf(error) === reason)
  );
}

function reasonOf(error: Error): unknown {
  return (error as Partial<TeuError>).reason;
}

/**
 * Hides an unexpected error behind a correlation id; the error itself becomes the cause, which the
 * server logs. An error that already has a reason is returned as it is.
 */
export function internalError(error: unknown): TeuError {
  if (isTeuError(error)) return error;
  const correlationId = randomBytes(6).toString('hex');
  return new TeuError('INTERNAL', `internal error ${correlationId}; the log has the details`, {
    metadata: { correlation_id: correlationId },
    cause: error,
  });
}
