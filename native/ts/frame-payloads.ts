import type { AttachOptions, ExitInfo, LaunchPhases, LogRecord } from './supervisor-types.js';
import type { StartedInfo, SupervisorIdentity, SupervisorState } from './supervisor-types.js';
import type { SupervisorStatus } from './supervisor-types.js';
import type { NativeFailure } from './native-error.js';
import type { ProcessIdentity } from './launch-plan.js';

const STATES: readonly SupervisorState[] = ['starting', 'created', 'running', 'exited', 'failed'];
const PHASES: readonly (keyof LaunchPhases)[] = [
  'init',
  'plan',
  'clone',
  'joined',
  'rootfs',
  'mounts',
  'masks',
  'pivot',
  'seccomp',
  'exec',
];
const ATTACH_START = 0n;
const ATTACH_END = 2n ** 64n - 1n;
const GAP_FLAG = 1;
const STDERR = 2;
const CORE_DUMPED = 1;

/** Size of the log record header, on disk and in a LOG frame alike. */
export const LOG_RECORD_HEADER_BYTES = 24;
/** Marks a record header; with the record's own offset in it, a torn or misread place shows. */
export const LOG_RECORD_MAGIC = 0x4c54;

export function decodeHello(payload: Buffer): SupervisorIdentity {
  return { protocolVersion: payload.readUInt32LE(0), supervisorPid: payload.readUInt32LE(4) };
}

/** pid u32, pad u32, start ticks u64. */
export function decodeProcess(payload: Buffer): ProcessIdentity {
  return { pid: payload.readUInt32LE(0), startTicks: payload.readBigUInt64LE(8) };
}

/** process, then one u64 for each phase. */
export function decodeStarted(payload: Buffer): StartedInfo {
  const at = (name: keyof LaunchPhases) => payload.readBigUInt64LE(16 + 8 * PHASES.indexOf(name));
  const phases = Object.fromEntries(PHASES.map((name) => [name, at(name)]));
  return { process: decodeProcess(payload), phases: phases as unknown as LaunchPhases };
}

/** errno u32 (positive), three u16 lengths of step, syscall and path, pad u16, then the three texts. */
export function decodeFailed(payload: Buffer): NativeFailure {
  const errno = payload.readUInt32LE(0);
  let at = 12;
  const text = (lengthAt: number): string => {
    const end = at + payload.readUInt16LE(lengthAt);
    const value = payload.toString('utf8', at, end);
    at = end;
    return value;
  };
  const step = text(4);
  const syscall = text(6);
  const path = text(8);
  return { errno: errno === 0 ? 0 : -errno, step, syscall, path };
}

/** code u32, signal u16, flags u16, time, user, system, maximum resident bytes u64 each. The `exit` file is the same. */
export function decodeExit(payload: Buffer): ExitInfo {
  return {
    code: payload.readUInt32LE(0),
    signal: payload.readUInt16LE(4),
    coreDumped: (payload.readUInt16LE(6) & CORE_DUMPED) !== 0,
    timeNs: payload.readBigUInt64LE(8),
    userMicros: payload.readBigUInt64LE(16),
    systemMicros: payload.readBigUInt64LE(24),
    maxRssBytes: payload.readBigUInt64LE(32),
  };
}

/** offset u64, time u64, length u32, stream u8, flags u8, magic u16, bytes; null if this is no record for `offset`. */
export function decodeLogRecord(bytes: Buffer): LogRecord | null {
  if (bytes.length < LOG_RECORD_HEADER_BYTES) return null;
  if (bytes.readUInt16LE(22) !== LOG_RECORD_MAGIC) return null;
  const length = bytes.readUInt32LE(16);
  const end = LOG_RECORD_HEADER_BYTES + length;
  if (bytes.length < end) return null;
  const offset = bytes.readBigUInt64LE(0);
  return {
    offset,
    nextOffset: offset + BigInt(end),
    timeNs: bytes.readBigUInt64LE(8),
    stream: bytes.readUInt8(20) === STDERR ? 'stderr' : 'stdout',
    gap: (bytes.readUInt8(21) & GAP_FLAG) !== 0,
    data: bytes.subarray(LOG_RECORD_HEADER_BYTES, end),
  };
}

/** A LOG frame: whole records, one after the other. */
export function decodeLogRecords(payload: Buffer): LogRecord[] {
  const records: LogRecord[] = [];
  for (let rest = payload; rest.length > 0;) {
    const record = decodeLogRecord(rest);
    if (record === null) throw new RangeError('malformed log record');
    records.push(record);
    rest = rest.subarray(LOG_RECORD_HEADER_BYTES + record.data.length);
  }
  return records;
}

/** state u32, pad u32, process, log start, log end, lost bytes u64 each. */
export function decodeStatus(payload: Buffer): SupervisorStatus {
  const process = decodeProcess(payload.subarray(8));
  return {
    state: STATES[payload.readUInt32LE(0)] ?? 'failed',
    process: process.pid === 0 ? null : process,
    logStart: payload.readBigUInt64LE(24),
    logEnd: payload.readBigUInt64LE(32),
    lostBytes: payload.readBigUInt64LE(40),
  };
}

export function encodeSignal(signal: number, all: boolean): Buffer {
  return uint32s(signal, all ? 1 : 0);
}

export function encodeResize(rows: number, columns: number): Buffer {
  return uint32s(rows, columns);
}

export function encodeAttach(options: AttachOptions): Buffer {
  const payload = Buffer.alloc(16);
  payload.writeBigUInt64LE(attachOffset(options.from), 0);
  payload.writeUInt32LE(options.blocking ? 1 : 0, 8);
  return payload;
}

function attachOffset(from: AttachOptions['from']): bigint {
  if (from === 'start') return ATTACH_START;
  return from === 'end' ? ATTACH_END : from;
}

function uint32s(...values: number[]): Buffer {
  const payload = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => payload.writeUInt32LE(value, 4 * index));
  return payload;
}
