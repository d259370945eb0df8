/** Signals by name, numbered as on x86_64 and aarch64 (signal(7), asm-generic/signal.h). */
export const SIGNAL_NUMBERS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

/** Name of a standard signal, with its `SIG` prefix. */
export type SignalName = keyof typeof SIGNAL_NUMBERS;

/** Other names of the same signals. */
const ALIASES: Readonly<Record<string, SignalName>> = {
  SIGIOT: 'SIGABRT',
  SIGCLD: 'SIGCHLD',
  SIGPOLL: 'SIGIO',
};

/** First real-time signal that programs may use: the C library keeps 32 and 33 for itself. */
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/**
 * Reads a signal as people write it: a number 1..64, or a name in any case, with or without `SIG`, also `RTMIN`,
 * `RTMIN+n`, `RTMAX` and `RTMAX-n`.
 * @returns the number, or undefined if it names no signal.
 */
export function parseSignal(text: string): number | undefined {
  if (/^[0-9]{1,2}$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= SIGRTMAX ? number : undefined;
  }
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  return realTimeSignal(name) ?? namedSignal(ALIASES[name] ?? name);
}

/** Name of a signal, or undefined if the number is not in 1..64 or has none (32 and 33). */
export function signalName(number: number): string | undefined {
  const found = Object.entries(SIGNAL_NUMBERS).find(([, value]) => value === number);
  if (found !== undefined) return found[0];
  if (!Number.isInteger(number) || number < SIGRTMIN || number > SIGRTMAX) return undefined;
  return number === SIGRTMIN ? 'SIGRTMIN' : `SIGRTMIN+${number - SIGRTMIN}`;
}

function namedSignal(name: string): number | undefined {
  return Object.hasOwn(SIGNAL_NUMBERS, name) ? SIGNAL_NUMBERS[name as SignalName] : undefined;
}

function realTimeSignal(name: string): number | undefined {
  const match = /^SIGRT(MIN|MAX)(?:([+-])([0-9]{1,2}))?$/.exec(name);
  if (match === null) return undefined;
  const [, end, sign, distance] = match;
  if (sign !== undefined && (sign === '+') !== (end === 'MIN')) return undefined;
  const steps = Number(distance ?? 0);
  const number = end === 'MIN' ? SIGRTMIN + steps : SIGRTMAX - steps;
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
}
