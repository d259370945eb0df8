import { CAPABILITY_NUMBERS, isCapabilityName } from '@teu/container-defaults';
import type { CapabilitiesPlan } from '@teu/native';
import type { LinuxCapabilities } from '@teu/proto/executor';
import { specError } from './spec-error.js';

type SetName = keyof CapabilitiesPlan & keyof LinuxCapabilities;

/** What each set must lie in (capabilities(7)); a set that does not would be widened or refused by the kernel. */
const LIES_IN: readonly (readonly [SetName, SetName])[] = [
  ['permitted', 'bounding'],
  ['effective', 'permitted'],
  ['inheritable', 'bounding'],
  ['ambient', 'permitted'],
  ['ambient', 'inheritable'],
];

/**
 * Capability sets as masks. What is not asked for is empty: above all inheritable, which would let file capabilities
 * of the image's binaries take effect (CVE-2022-29162).
 */
export function planCapabilities(
  sets: LinuxCapabilities | undefined,
  field: string,
): CapabilitiesPlan {
  const plan: CapabilitiesPlan = {
    bounding: capabilityMask(sets?.bounding, `${field}.bounding`),
    effective: capabilityMask(sets?.effective, `${field}.effective`),
    permitted: capabilityMask(sets?.permitted, `${field}.permitted`),
    inheritable: capabilityMask(sets?.inheritable, `${field}.inheritable`),
    ambient: capabilityMask(sets?.ambient, `${field}.ambient`),
  };
  for (const [inner, outer] of LIES_IN) {
    if ((plan[inner] & ~plan[outer]) !== 0n) {
      throw specError(`${field}.${inner}`, `has capabilities that are not in ${outer}`);
    }
  }
  return plan;
}

function capabilityMask(names: readonly string[] | undefined, field: string): bigint {
  let mask = 0n;
  for (const [index, name] of (names ?? []).entries()) {
    if (!isCapabilityName(name)) throw specError(`${field}[${index}]`, 'is not a capability');
    mask |= 1n << BigInt(CAPABILITY_NUMBERS[name]);
  }
  return mask;
}
