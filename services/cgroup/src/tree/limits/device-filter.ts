import { spawnSync } from 'node:child_process';
import { teuError } from '@teu/errors';
import { DEVICES_FIELD, type DeviceRule } from '../../domain/device-rule.js';

/** It takes milliseconds; longer is a machine that is stuck. */
const TIMEOUT_MS = 10_000;

/**
 * Programs of version 2 groups that say which devices may be used. teu-devices attaches them (native/src/devices); it is
 * waited for, because it is rare: most groups have the program of the engine's group.
 */
export class DeviceFilter {
  readonly #program: string;

  /** @param program - Path of teu-devices. */
  constructor(program: string) {
    this.#program = program;
  }

  /**
   * Gives a group a program, in the place of the one that it has.
   *
   * @param below - Whether groups below may have others.
   * @throws RESOURCE_UNSUPPORTED if the kernel does not take it
   */
  attach(group: string, rules: readonly DeviceRule[], below: 'overridable' | 'final'): void {
    const words = [group, below, ...rules.map(wordOf)];
    const { error, status, stderr } = spawnSync(this.#program, words, {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
    });
    if (status === 0) return;
    // A step and the name of an error; what Node says of a program that is not there would have its path.
    const step = error === undefined ? stderr.trim().slice(0, 80) : 'it does not start';
    const text = `this host cannot enforce ${DEVICES_FIELD}: its kernel takes no such program (${step})`;
    throw teuError('RESOURCE_UNSUPPORTED', text, { metadata: { field: DEVICES_FIELD } });
  }
}

/** Writes a rule as teu-devices reads it: "+c:136:*:rwm". */
function wordOf({ allow, type, major, minor, access }: DeviceRule): string {
  return `${allow ? '+' : '-'}${type}:${major ?? '*'}:${minor ?? '*'}:${access}`;
}
