/** The status codes of gRPC (grpc.io, "Status codes and their use in gRPC"), by name. */
export const STATUS_CODES = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type StatusName = keyof typeof STATUS_CODES;

const namesByCode = Object.keys(STATUS_CODES) as StatusName[];

/** Name of a status code; `UNKNOWN` for a number that gRPC does not define. */
export function statusName(code: number): StatusName {
  return namesByCode[code] ?? 'UNKNOWN';
}
