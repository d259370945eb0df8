import { teuError } from '@teu/errors';
import type { ConfigKey } from './define-config.js';

export interface Flags {
  values: ReadonlyMap<string, string>;
  printConfig: boolean;
  help: boolean;
}

/**
 * Reads `--flag value` and `--flag=value`.
 * @throws INVALID_ARGUMENT for an unknown flag, a repeated one, one without a value, or anything else.
 */
export function readFlags(
  keys: Readonly<Record<string, ConfigKey<unknown>>>,
  argv: readonly string[],
): Flags {
  const known = new Set(Object.values(keys).map((key) => key.flag));
  const values = new Map<string, string>();
  let printConfig = false;
  let help = false;
  for (let i = 0; i < argv.length; i += 1) {
    const argument = argv[i] ?? '';
    if (argument === '--print-config') printConfig = true;
    else if (argument === '--help') help = true;
    else {
      const equals = argument.indexOf('=');
      const flag = equals < 0 ? argument : argument.slice(0, equals);
      if (!known.has(flag)) throw refuse(flag, 'is not a flag of this service');
      if (values.has(flag)) throw refuse(flag, 'is given twice');
      if (equals < 0) i += 1;
      const value = equals < 0 ? argv[i] : argument.slice(equals + 1);
      if (value === undefined) throw refuse(flag, 'needs a value');
      values.set(flag, value);
    }
  }
  return { values, printConfig, help };
}

function refuse(flag: string, what: string): Error {
  return teuError('INVALID_ARGUMENT', `${flag} ${what}`, { metadata: { setting: flag } });
}
