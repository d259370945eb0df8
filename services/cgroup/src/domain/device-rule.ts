import type { LinuxDeviceRule } from '@teu/proto/type';
import { teuError } from '@teu/errors';

/** Whether some device nodes may be used; of several rules the last that has to do with an access decides it. */
export interface DeviceRule {
  readonly allow: boolean;
  /** "a" for both. */
  readonly type: 'a' | 'b' | 'c';
  /** Undefined for any. */
  readonly major: number | undefined;
  readonly minor: number | undefined;
  /** Some of "rwm", in this order. */
  readonly access: string;
}

export const DEVICES_FIELD = 'resources.devices';
/** The kernel's numbers have 12 and 20 bits. */
const MAX_MAJOR = 2 ** 12 - 1;
const MAX_MINOR = 2 ** 20 - 1;
/** Bounds the program that is made of them. */
const MOST_RULES = 256;

/**
 * Checks the rules of a request.
 *
 * @throws INVALID_ARGUMENT naming the rule that can never be right
 */
export function parseDeviceRules(rules: readonly LinuxDeviceRule[]): readonly DeviceRule[] {
  if (rules.length > MOST_RULES) throw invalid('', `has more than ${MOST_RULES} rules`);
  return rules.map(({ allow, type, major, minor, access }, index) => {
    const at = `[${index}]`;
    if (type !== 'a' && type !== 'b' && type !== 'c') {
      throw invalid(at, `has the type "${type}"; it must be a, b or c`);
    }
    if (!/^[rwm]{1,3}$/.test(access) || new Set(access).size !== access.length) {
      throw invalid(at, `has the access "${access}"; it must be some of r, w and m`);
    }
    checkNumber(`${at}.major`, major, MAX_MAJOR);
    checkNumber(`${at}.minor`, minor, MAX_MINOR);
    const ordered = accessWhere((letter) => access.includes(letter));
    return { allow, type, major, minor, access: ordered };
  });
}

/** Puts the letters that are wanted in order. */
export function accessWhere(isWanted: (letter: string) => boolean): string {
  return ['r', 'w', 'm'].filter(isWanted).join('');
}

function checkNumber(at: string, value: number | undefined, max: number): void {
  if (value === undefined || (value >= 0 && value <= max)) return;
  throw invalid(at, `is ${value}; it must be 0 to ${max}`);
}

function invalid(at: string, problem: string): Error {
  const field = `${DEVICES_FIELD}${at}`;
  return teuError('INVALID_ARGUMENT', `${field} ${problem}`, { metadata: { field } });
}

/** Writes which devices and what of: "c 136:* rwm", as the kernel's lists have it. */
export function formatDevices({ type, major, minor, access }: DeviceRule): string {
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`;
}
