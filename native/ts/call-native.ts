import { NativeError, type NativeFailure } from './native-error.js';

/** Runs one call into an addon and turns its plain failure object into a NativeError. */
export function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (isNativeFailure(error)) throw new NativeError(error, { cause: error });
    throw error;
  }
}

function isNativeFailure(error: unknown): error is Error & NativeFailure {
  return error instanceof Error && 'step' in error && 'errno' in error && 'syscall' in error;
}
