import { isTeuError, teuError, type Reason, type TeuError } from '@teu/errors';
import { NativeError } from '@teu/native';

/** Steps whose object is a path in the container or a name from the request: fit for a message. */
const STEPS_WITH_PUBLIC_PATHS: ReadonlySet<string> = new Set([
  'mounts',
  'devices',
  'links',
  'maskedPaths',
  'readonlyPaths',
  'sysctl',
  'user',
  'cwd',
  'exec',
]);

/**
 * Names a failed launch: what could not be done, at which step, by which errno; and that nothing is left of it.
 * @param subject for example `container 0123456789ab`
 */
export function launchError(subject: string, error: unknown): unknown {
  if (isTeuError(error, 'DEADLINE_EXCEEDED')) {
    const message = `${subject} was not started: its set-up was not finished in time`;
    return teuError('LAUNCH_FAILED', `${message}; nothing is left of it`, { cause: error });
  }
  if (!(error instanceof NativeError)) {
    if (!(error instanceof Error && 'code' in error && isDiskFull(error.code))) return error;
    const message = `${subject} was not started: the disk of the executor’s data is full`;
    return teuError('STORAGE_FULL', `${message}; nothing is left of it`, { cause: error });
  }
  const path = STEPS_WITH_PUBLIC_PATHS.has(error.step) ? error.path : '';
  const object = path === '' ? '' : ` ${JSON.stringify(path)}`;
  const message = `${subject} was not started: step ${error.step}, ${error.syscall}${object}: ${error.code}`;
  return withReason(launchReason(error), message, error, path);
}

function withReason(reason: Reason, message: string, cause: NativeError, path: string): TeuError {
  return teuError(reason, `${message}; nothing is left of it`, {
    metadata: {
      step: cause.step,
      syscall: cause.syscall,
      errno: cause.code,
      ...(path === '' ? {} : { path }),
    },
    cause,
  });
}

function launchReason({ step, code }: NativeError): Reason {
  if (isDiskFull(code)) return 'STORAGE_FULL';
  if (step === 'exec') return isMissing(code) ? 'PROGRAM_NOT_FOUND' : 'PROGRAM_NOT_EXECUTABLE';
  if (step === 'user' && code === 'ENOENT') return 'USER_NOT_FOUND';
  return 'LAUNCH_FAILED';
}

function isDiskFull(code: unknown): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function isMissing(code: string): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}
