import type { SeccompPlan } from '@teu/native';
import { SeccompProfile, type Seccomp } from '@teu/proto/executor';
import { defaultFilter } from '../seccomp/default-filter.js';
import { specError } from './spec-error.js';

/** Profiles by the name that a container's record keeps. */
export type ProfileName = 'default' | 'unconfined';

/**
 * Which filter a container asks for.
 * @throws INVALID_SPEC if it does not say: running without a filter has to be asked for.
 */
export function parseProfile(seccomp: Seccomp | undefined, field: string): ProfileName {
  switch (seccomp?.profile) {
    case SeccompProfile.SECCOMP_PROFILE_DEFAULT:
      return 'default';
    case SeccompProfile.SECCOMP_PROFILE_UNCONFINED:
      return 'unconfined';
    default:
      throw specError(`${field}.profile`, 'is not a known profile');
  }
}

/** Makes filters of a profile, from a process's bounding set. */
export function filterMaker(profile: ProfileName): (bounding: bigint) => SeccompPlan | null {
  if (profile === 'unconfined') return () => null;
  return (bounding) => ({ filter: defaultFilter(bounding, thisMachine()), flags: 0 });
}

function thisMachine(): 'x64' | 'arm64' {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  throw specError('spec.linux.seccomp', `has no filter for ${process.arch} machines`);
}
