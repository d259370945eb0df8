import { getSystemErrorName } from 'node:util';

/** What the native side says about a failure: which step, which system call, which errno, on what. */
export interface NativeFailure {
  /** Negative errno as in Node's own system errors, or 0 if no system call failed. */
  errno: number;
  syscall: string;
  /** The step of the plan, e.g. `mounts`, `exec`; see LAUNCH_STEPS. */
  step: string;
  /** The object it concerned: a path in the container, a host path, a field of the plan; '' if none. */
  path: string;
}

/** A failed native call. `code` is the errno's name (`ENOENT`), or `EPROTO`-like names for malformed input. */
export class NativeError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly step: string;
  readonly path: string;

  constructor(failure: NativeFailure, options?: ErrorOptions) {
    const code = errnoName(failure.errno);
    const object = failure.path === '' ? '' : ` '${failure.path}'`;
    super(`${failure.step}: ${failure.syscall}${object}: ${code}`, options);
    this.name = 'NativeError';
    this.code = code;
    this.errno = failure.errno;
    this.syscall = failure.syscall;
    this.step = failure.step;
    this.path = failure.path;
  }
}

function errnoName(errno: number): string {
  if (errno >= 0) return 'EINVAL';
  try {
    const name = getSystemErrorName(errno);
    // libuv has a sentence for those that it does not know, such as ENOTBLK.
    return name.startsWith('E') ? name : `E${-errno}`;
  } catch {
    return `E${-errno}`;
  }
}
