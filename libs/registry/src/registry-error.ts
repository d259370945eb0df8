import { isTeuError, teuError, type Reason } from '@teu/errors';
import { adviseRetry, retryAfterMs } from './retry.js';
import { ConnectionFailure, type HttpResponse } from './transport.js';

/** What was done when it failed. */
export interface Where {
  /** Host with port that was asked. */
  host: string;
  /** Empty if it is none's. */
  repository: string;
  /** "reading the manifest". */
  step: string;
}

const TEXT_LENGTH_MAX = 256;

/** Makes an error that says host, repository and step. */
export function registryError(
  reason: Reason,
  { host, repository, step }: Where,
  what: string,
  more: { metadata?: Record<string, string>; cause?: unknown } = {},
): Error {
  const object = repository === '' ? host : `${host}/${repository}`;
  return teuError(reason, `${object}: ${step}: ${what}`, {
    metadata: {
      host,
      step,
      ...(repository === '' ? {} : { repository }),
      ...more.metadata,
    },
    ...(more.cause === undefined ? {} : { cause: more.cause }),
  });
}

/** What a registry says about its refusal (distribution-spec, "Error Codes"). */
interface RegistryComplaint {
  code: string;
  message: string;
}

/** The error for an answer that is none of those that were hoped for. `body` is the beginning of it. */
export function statusError(where: Where, response: HttpResponse, body: Uint8Array): Error {
  const { status } = response;
  const complaint = readComplaint(body);
  const said =
    complaint === undefined ? '' : ` (${complaint.code}: ${complaint.message})`.replace(': )', ')');
  const metadata: Record<string, string> = {
    http_status: String(status),
    ...(complaint === undefined
      ? {}
      : { registry_code: complaint.code, registry_message: complaint.message }),
  };
  if (status === 401 || status === 403) {
    return registryError('REGISTRY_DENIED', where, `access was denied${said}`, { metadata });
  }
  if (status === 404) {
    return registryError('IMAGE_NOT_FOUND', where, `it is not there${said}`, { metadata });
  }
  if (status === 429 || status === 408 || status >= 500) {
    const what = status === 429 ? 'the registry asks for patience' : `HTTP status ${status}`;
    const error = registryError('REGISTRY_UNAVAILABLE', where, `${what}${said}`, { metadata });
    return adviseRetry(error, retryAfterMs(response.headers['retry-after']));
  }
  return registryError('REGISTRY_FAILED', where, `HTTP status ${status}${said}`, { metadata });
}

function readComplaint(body: Uint8Array): RegistryComplaint | undefined {
  try {
    const document = JSON.parse(Buffer.from(body).toString('utf8')) as {
      errors?: { code?: unknown; message?: unknown }[];
      details?: unknown;
    };
    const first = document.errors?.[0];
    if (first !== undefined)
      return { code: printable(first.code), message: printable(first.message) };
    // What token services say.
    const details = printable(document.details);
    return details === '' ? undefined : { code: 'DENIED', message: details };
  } catch {
    return undefined;
  }
}

/** Text of somebody else's, fit to be shown: one line, bounded. */
export function printable(text: unknown): string {
  if (typeof text !== 'string') return '';
  return text
    .replace(/[^\P{C}]+|\s+/gu, ' ')
    .trim()
    .slice(0, TEXT_LENGTH_MAX);
}

/** Whether another host could know better: this one is away, does not have it or does not let us. */
export function isWorthAnotherHost(error: unknown): boolean {
  return (
    isTeuError(error, 'REGISTRY_UNAVAILABLE') ||
    isTeuError(error, 'REGISTRY_FAILED') ||
    isTeuError(error, 'REGISTRY_DENIED') ||
    isTeuError(error, 'DIGEST_MISMATCH') ||
    isTeuError(error, 'IMAGE_NOT_FOUND')
  );
}

/** The error for a connection that failed; other errors as they are. */
export function connectionError(where: Where, error: unknown): unknown {
  if (!(error instanceof ConnectionFailure)) return error;
  const { kind, message } = error;
  if (kind === 'forbidden') {
    return registryError('REGISTRY_FAILED', where, message, { cause: error });
  }
  const found = registryError('REGISTRY_UNAVAILABLE', where, message, {
    metadata: { failure: kind },
    cause: error,
  });
  return kind === 'lost' || kind === 'stalled' || /ECONNREFUSED/.test(message)
    ? adviseRetry(found)
    : found;
}
