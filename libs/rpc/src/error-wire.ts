import { Metadata } from '@grpc/grpc-js';
import {
  isReason,
  REASONS,
  STATUS_CODES,
  statusName,
  teuError,
  type Reason,
  type StatusName,
  type TeuError,
} from '@teu/errors';
import { Any, ErrorInfo, Status } from '@teu/proto/google';

/** Trailer with a serialised google.rpc.Status, as every gRPC library reads it. */
export const DETAILS_KEY = 'grpc-status-details-bin';
const ERROR_INFO_URL = 'type.googleapis.com/google.rpc.ErrorInfo';
const DOMAIN = 'teu';

// Trailers share one header block with limits of its own on both sides.
const MESSAGE_LENGTH_MAX = 2000;
const VALUE_LENGTH_MAX = 1000;
const VALUE_COUNT_MAX = 16;

/** What grpc-js sends at the end of a call. */
export interface WireStatus {
  code: number;
  details: string;
  metadata: Metadata;
}

/** Text that may stand in a header: whole code points only, and not without end. */
const presentable = (text: string, lengthMax: number): string =>
  (text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text).toWellFormed();

/** The status of an error, with reason and metadata in google.rpc.ErrorInfo (AIP-193). Without its cause. */
export function errorToStatus(error: TeuError): WireStatus {
  const code = STATUS_CODES[error.status];
  const message = presentable(error.message, MESSAGE_LENGTH_MAX);
  const entries = Object.entries(error.metadata).slice(0, VALUE_COUNT_MAX);
  const info = ErrorInfo.create({
    reason: error.reason,
    domain: DOMAIN,
    metadata: Object.fromEntries(
      entries.map(([key, value]) => [key, presentable(value, VALUE_LENGTH_MAX)]),
    ),
  });
  const detail = Any.create({
    typeUrl: ERROR_INFO_URL,
    value: Buffer.from(ErrorInfo.encode(info).finish()),
  });
  const status = Status.create({ code, message, details: [detail] });
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(Status.encode(status).finish()));
  return { code, details: message, metadata };
}

/** Reason for a status that came without one of ours. */
const GENERIC: Record<StatusName, Reason> = {
  OK: 'UNKNOWN',
  CANCELLED: 'CANCELLED',
  UNKNOWN: 'UNKNOWN',
  INVALID_ARGUMENT: 'INVALID_ARGUMENT',
  DEADLINE_EXCEEDED: 'DEADLINE_EXCEEDED',
  NOT_FOUND: 'NOT_FOUND',
  ALREADY_EXISTS: 'ALREADY_EXISTS',
  PERMISSION_DENIED: 'PERMISSION_DENIED',
  RESOURCE_EXHAUSTED: 'RESOURCE_EXHAUSTED',
  FAILED_PRECONDITION: 'INVALID_STATE',
  ABORTED: 'CONFLICT',
  OUT_OF_RANGE: 'OUT_OF_RANGE',
  UNIMPLEMENTED: 'UNIMPLEMENTED',
  INTERNAL: 'INTERNAL',
  UNAVAILABLE: 'UNAVAILABLE',
  DATA_LOSS: 'DATA_LOSS',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
};

/** The peer and method of a call, for messages. */
export interface CallNames {
  service: string;
  method: string;
}

/**
 * The error that a status stands for: the peer's own if it sent one, else a general one by code. A
 * reason that this version does not know, or of another domain, is kept as metadata.peer_reason.
 */
export function errorFromStatus(
  status: { code: number; details: string; metadata?: Metadata | null },
  names: CallNames,
): TeuError {
  const { message, info } = readDetails(status.metadata);
  const name = isCutOff(status) ? 'UNAVAILABLE' : statusName(status.code);
  if (info !== undefined && info.domain === DOMAIN && isReason(info.reason)) {
    if (REASONS[info.reason].status === name) {
      return teuError(info.reason, message || status.details, { metadata: info.metadata });
    }
  }
  const metadata =
    info === undefined || info.reason === '' ? {} : { ...info.metadata, peer_reason: info.reason };
  const text = messageOf(name, status.details, names);
  return teuError(GENERIC[name], text, {
    metadata,
    ...(text === status.details ? {} : { cause: `${name}: ${status.details}` }),
  });
}

/**
 * grpc-js says INTERNAL of a call whose connection went away under it, when Node closes the stream with code 0 before
 * it tells of the connection (subchannel-call.ts). A server's own status never comes with this text.
 */
function isCutOff({ code, details }: { code: number; details: string }): boolean {
  return statusName(code) === 'INTERNAL' && details.startsWith('Received RST_STREAM with code 0 ');
}

/** grpc-js makes these itself, with socket paths in the text; a person needs to know who did not answer. */
function messageOf(name: StatusName, details: string, names: CallNames): string {
  if (name === 'UNAVAILABLE') return `${names.service} is not available`;
  if (name === 'DEADLINE_EXCEEDED')
    return `${names.service} did not answer ${names.method} in time`;
  if (name === 'CANCELLED') return `${names.method} of ${names.service} was cancelled`;
  return details === '' ? `${names.method} of ${names.service} failed (${name})` : details;
}

function readDetails(metadata: Metadata | null | undefined): {
  message: string;
  info?: ErrorInfo;
} {
  const bytes = metadata?.get(DETAILS_KEY)[0];
  if (!(bytes instanceof Uint8Array)) return { message: '' };
  try {
    const status = Status.decode(bytes);
    const detail = status.details.find((any) => any.typeUrl === ERROR_INFO_URL);
    if (detail === undefined) return { message: status.message };
    return { message: status.message, info: ErrorInfo.decode(detail.value) };
  } catch {
    // A peer's malformed details are no reason to lose its status.
    return { message: '' };
  }
}
