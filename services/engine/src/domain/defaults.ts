/** Signal that asks a program to stop, when neither client nor image names one. */
export const DEFAULT_STOP_SIGNAL = 'SIGTERM';
/** How long a stop waits before it kills, as docker does. */
export const DEFAULT_STOP_TIMEOUT_MS = 10_000;
/** Search path of programs, as docker sets it. */
export const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Exit code when the real one can't be known. */
export const UNKNOWN_EXIT_CODE = 255;
/** SIGKILL, signal(7). */
export const SIGKILL = 9;
