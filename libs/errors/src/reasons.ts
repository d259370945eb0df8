import type { StatusName } from './status.js';

/** What a reason means to the one who gets it. */
export interface ReasonEntry {
  /** gRPC status it travels with. */
  readonly status: StatusName;
  /** True if the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** When it is used, and what to do. */
  readonly doc: string;
}

const entry = <S extends StatusName>(status: S, doc: string, retryable = false) => ({
  status,
  retryable,
  doc,
});

/**
 * Every reason an error can have, in every service: the one table. Clients decide by reason, so a
 * reason is never renamed and never reused; one that is no longer raised stays, with that said.
 */
export const REASONS = {
  // Whatever the object.
  INVALID_ARGUMENT: entry('INVALID_ARGUMENT', 'A field has a value that can never be right.'),
  INVALID_ID: entry('INVALID_ARGUMENT', 'An id, name, key, reference or digest is malformed.'),
  INVALID_STATE: entry('FAILED_PRECONDITION', 'The object is in a state that forbids the call.'),
  NOT_FOUND: entry('NOT_FOUND', 'A peer that gives no reason says that something is missing.'),
  ALREADY_EXISTS: entry('ALREADY_EXISTS', 'A peer that gives no reason says that it is taken.'),
  OUT_OF_RANGE: entry('OUT_OF_RANGE', 'An offset or a page lies outside what exists.'),
  CONFLICT: entry('ABORTED', 'Another call on the same object was in the way.', true),
  UNAUTHENTICATED: entry('UNAUTHENTICATED', 'The peer could not say who it is.'),
  PERMISSION_DENIED: entry('PERMISSION_DENIED', 'The peer or the policy does not allow it.'),
  UNIMPLEMENTED: entry('UNIMPLEMENTED', 'The service does not have this method or this option.'),
  UNAVAILABLE: entry('UNAVAILABLE', 'The service cannot be reached, or is stopping.', true),
  DEADLINE_EXCEEDED: entry('DEADLINE_EXCEEDED', 'No answer in time; the effect is unknown.'),
  CANCELLED: entry('CANCELLED', 'The caller gave the call up.'),
  RESOURCE_EXHAUSTED: entry('RESOURCE_EXHAUSTED', 'A limit is reached, or a message is too big.'),
  DATA_LOSS: entry('DATA_LOSS', 'Stored data is damaged and cannot be repaired here.'),
  UNKNOWN: entry('UNKNOWN', 'A peer that gives no reason failed.'),
  INTERNAL: entry('INTERNAL', 'A defect; metadata.correlation_id finds it in the log.'),

  // Containers.
  CONTAINER_NOT_FOUND: entry('NOT_FOUND', 'No container has this id or name.'),
  CONTAINER_EXISTS: entry('ALREADY_EXISTS', 'The container id is taken.'),
  CONTAINER_NAME_IN_USE: entry('ALREADY_EXISTS', 'Another container has this name.'),
  CONTAINER_RUNNING: entry('FAILED_PRECONDITION', 'The container runs; stop it, or force.'),
  CONTAINER_NOT_RUNNING: entry('FAILED_PRECONDITION', 'The container does not run.'),
  CONTAINER_REMOVING: entry('FAILED_PRECONDITION', 'The container is being removed.'),
  CONTAINER_PAUSED: entry('FAILED_PRECONDITION', 'The container is frozen; thaw it first.'),
  AMBIGUOUS_REFERENCE: entry('INVALID_ARGUMENT', 'The short id or name fits several objects.'),
  START_FAILED: entry('FAILED_PRECONDITION', 'A start failed and was undone.'),

  // Processes.
  PROCESS_NOT_FOUND: entry('NOT_FOUND', 'No process has this id.'),
  PROCESS_EXISTS: entry('ALREADY_EXISTS', 'The process id is taken.'),
  PROCESS_RUNNING: entry('FAILED_PRECONDITION', 'The process runs.'),
  PROCESS_NOT_RUNNING: entry('FAILED_PRECONDITION', 'The process has ended, or not begun.'),
  EXEC_NOT_FOUND: entry('NOT_FOUND', 'The container has no exec process with this id.'),
  PROGRAM_NOT_FOUND: entry('NOT_FOUND', 'The program is not in the root file system.'),
  PROGRAM_NOT_EXECUTABLE: entry('FAILED_PRECONDITION', 'The program cannot be executed.'),
  LAUNCH_FAILED: entry('FAILED_PRECONDITION', 'A step of setting the container up failed.'),
  LOG_NOT_FOUND: entry('NOT_FOUND', 'The log is gone.'),
  NO_TERMINAL: entry('FAILED_PRECONDITION', 'The process has no terminal.'),
  STDIN_CLOSED: entry('FAILED_PRECONDITION', 'The standard input of the process is closed.'),
  USER_NOT_FOUND: entry('NOT_FOUND', 'The user or group is not in the root file system.'),
  INVALID_SPEC: entry('INVALID_ARGUMENT', 'A part of the container spec is not valid.'),
  FEATURE_UNSUPPORTED: entry('FAILED_PRECONDITION', 'This host lacks what was asked for.'),

  // Images.
  IMAGE_NOT_FOUND: entry('NOT_FOUND', 'No image has this reference, name or digest.'),
  IMAGE_EXISTS: entry('ALREADY_EXISTS', 'The image name is taken.'),
  IMAGE_IN_USE: entry('FAILED_PRECONDITION', 'Containers use the image; remove them, or force.'),
  IMAGE_INVALID: entry('INVALID_ARGUMENT', 'The image, its index or its config is malformed.'),
  IMAGE_UNSUPPORTED: entry('INVALID_ARGUMENT', 'The media type or platform is not supported.'),
  ARCHIVE_INVALID: entry('INVALID_ARGUMENT', 'The archive is malformed or of no known format.'),
  BLOB_NOT_FOUND: entry('NOT_FOUND', 'The content store does not have this digest.'),
  BLOB_BROKEN_OFF: entry('UNAVAILABLE', 'The bytes of a blob stopped coming before the end.', true),
  BLOB_IN_USE: entry('FAILED_PRECONDITION', 'Something still refers to this digest.'),
  DIGEST_MISMATCH: entry('DATA_LOSS', 'The bytes do not have the digest they were announced with.'),
  LAYER_INVALID: entry('INVALID_ARGUMENT', 'A layer was refused; metadata names the entry.'),
  LAYER_TOO_LARGE: entry('RESOURCE_EXHAUSTED', 'A layer exceeds a limit of size or count.'),
  REGISTRY_UNAVAILABLE: entry('UNAVAILABLE', 'The registry does not answer.', true),
  BASE_UPGRADE_NOT_FOUND: entry('NOT_FOUND', 'No upgrade of a base has this id.'),
  LEASE_NOT_FOUND: entry('NOT_FOUND', 'No lease has this id, or it has ended.'),
  REGISTRY_FAILED: entry('FAILED_PRECONDITION', 'The registry broke its protocol or refused.'),
  REGISTRY_DENIED: entry('PERMISSION_DENIED', 'The registry refused the credentials.'),

  // Snapshots and their drivers.
  SNAPSHOT_NOT_FOUND: entry('NOT_FOUND', 'The driver has no snapshot with this key.'),
  SNAPSHOT_EXISTS: entry('ALREADY_EXISTS', 'The snapshot key or name is taken.'),
  SNAPSHOT_IN_USE: entry('FAILED_PRECONDITION', 'Other snapshots stand on this one.'),
  SNAPSHOT_COMMITTED: entry('FAILED_PRECONDITION', 'The snapshot is committed, thus immutable.'),
  SNAPSHOT_NOT_COMMITTED: entry('INVALID_ARGUMENT', 'The parent is not committed.'),
  SNAPSHOT_READONLY: entry('FAILED_PRECONDITION', 'The snapshot is a view.'),
  SNAPSHOT_INVALID: entry('DATA_LOSS', 'What is on disk for the snapshot is not whole.'),
  DRIVER_NOT_FOUND: entry('NOT_FOUND', 'No storage driver is registered under this name.'),
  DRIVER_EXISTS: entry('ALREADY_EXISTS', 'A storage driver is registered under this name.'),
  DRIVER_IN_USE: entry('FAILED_PRECONDITION', 'Containers or images use the storage driver.'),
  DRIVER_UNAVAILABLE: entry('UNAVAILABLE', 'The storage driver does not answer.', true),
  DRIVER_UNSUPPORTED: entry('FAILED_PRECONDITION', 'The host cannot run this storage driver.'),
  QUOTA_EXCEEDED: entry('RESOURCE_EXHAUSTED', 'The snapshot has reached its quota.'),
  UNSUPPORTED_MOUNT: entry('INVALID_ARGUMENT', 'A mount has an unknown type or option.'),
  MOUNT_FAILED: entry('FAILED_PRECONDITION', 'The kernel refused a mount.'),

  // Control groups.
  CGROUP_NOT_FOUND: entry('NOT_FOUND', 'There is no group with this id.'),
  CGROUP_EXISTS: entry('ALREADY_EXISTS', 'There is a group with this id.'),
  CGROUP_BUSY: entry('FAILED_PRECONDITION', 'Processes are still in the group.', true),
  CGROUP_UNAVAILABLE: entry('FAILED_PRECONDITION', 'The host has no usable cgroup hierarchy.'),
  GROUP_NOT_FOUND: entry('NOT_FOUND', 'There is no group of containers with this name.'),
  GROUP_EXISTS: entry('ALREADY_EXISTS', 'There is a group of this name, with other limits.'),
  GROUP_BUSY: entry('FAILED_PRECONDITION', 'Containers or groups are in the group.'),
  RESOURCE_UNSUPPORTED: entry('FAILED_PRECONDITION', 'This host cannot enforce that limit.'),

  // Events and durable state.
  EVENTS_EXPIRED: entry('OUT_OF_RANGE', 'Events after that sequence are gone; list, then watch.'),
  EVENTS_UNAVAILABLE: entry('UNAVAILABLE', 'The event server does not answer.', true),
  STORAGE_FULL: entry('RESOURCE_EXHAUSTED', 'The disk is full; nothing was changed.'),
  STORAGE_FAILED: entry('INTERNAL', 'Reading or writing durable state failed.'),
  STATE_TOO_NEW: entry('FAILED_PRECONDITION', 'A newer version wrote this state.'),
  INJECTED_FAILURE: entry('INTERNAL', 'A failpoint was set to fail here; tests only.'),
} as const satisfies Readonly<Record<string, ReasonEntry>>;

export type Reason = keyof typeof REASONS;

/** True if this version knows the reason. */
export function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text);
}
