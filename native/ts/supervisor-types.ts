import type { ProcessIdentity } from './launch-plan.js';

/** When the phases of a start ended, CLOCK_MONOTONIC nanoseconds; 0n = this launch had no such phase. */
export interface LaunchPhases {
  /** teu-init entered its first instruction. */
  init: bigint;
  /** The plan was read. */
  plan: bigint;
  /** clone3 of the container process returned in the supervisor. */
  clone: bigint;
  /** The child had joined its cgroups and namespaces. */
  joined: bigint;
  /** The root was mounted. */
  rootfs: bigint;
  /** All mounts, devices and links were made. */
  mounts: bigint;
  /** Masked and read-only paths were covered. */
  masks: bigint;
  /** The old root was gone; sysctls, host name and limits were set. */
  pivot: bigint;
  /** Capabilities, ids and seccomp were set: the last act before execve. */
  seccomp: bigint;
  /** execve succeeded, as the supervisor saw it. */
  exec: bigint;
}

export interface SupervisorIdentity {
  supervisorPid: number;
  protocolVersion: number;
}

export interface StartedInfo {
  /** The container process (or exec) in the host's pid namespace. */
  process: ProcessIdentity;
  phases: LaunchPhases;
}

/** Also what the `exit` file holds. */
export interface ExitInfo {
  /** Exit code 0..255, or 128 + signal. */
  code: number;
  /** The number of the signal that ended it, or 0. */
  signal: number;
  coreDumped: boolean;
  /** Wall clock, nanoseconds since the epoch. */
  timeNs: bigint;
  userMicros: bigint;
  systemMicros: bigint;
  maxRssBytes: bigint;
}

export type SupervisorState = 'starting' | 'created' | 'running' | 'exited' | 'failed';

export interface SupervisorStatus {
  state: SupervisorState;
  /** null before the process exists. */
  process: ProcessIdentity | null;
  /** Offset that the next log record will get. */
  logEnd: bigint;
  /** Offset of the oldest record kept. */
  logStart: bigint;
  /** Output bytes that could not be written to the log (disk full and the like). */
  lostBytes: bigint;
}

export type OutputStream = 'stdout' | 'stderr';

export interface LogRecord {
  /** Address of this record; `nextOffset` is that of the one after it. Stable over rotation. */
  offset: bigint;
  nextOffset: bigint;
  /** Wall clock, nanoseconds since the epoch. */
  timeNs: bigint;
  stream: OutputStream;
  /** Some output between the record before and this one is gone (rotation or a full disk). */
  gap: boolean;
  /** At most 16 KiB; a piece of a line or several lines, exactly as read from the program. */
  data: Buffer;
}

export interface AttachOptions {
  /** Where to begin: an offset of a record, `'start'` (oldest kept) or `'end'` (only what comes now). */
  from: bigint | 'start' | 'end';
  /** True: rotation waits for this reader, and with it the program. False: a slow reader gets `gap` records. */
  blocking: boolean;
}
