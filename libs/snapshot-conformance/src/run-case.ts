import { Capability } from '@teu/proto/storage';
import { tempDir } from '@teu/testing/temp-dir';
import type { CaseContext, ConformanceCase } from './conformance-case.js';
import { capabilityName, type DriverTraits } from './driver-traits.js';
import type { SnapshotsClient } from './snapshots-client.js';

/** A driver that cases are run on. */
export interface CaseTarget extends Omit<CaseContext, 'work' | 'key'> {
  /** What all keys begin with, for a driver that others use too. */
  readonly keyPrefix: string;
}

/** Why a case does not apply to a driver, by what it declares. Undefined if it does. */
export function missingTrait(
  { needs = [], lacks = [], layers = 0, asksDriverService = false }: ConformanceCase,
  traits: DriverTraits,
): string | undefined {
  const missing = needs.filter((capability) => !traits.capabilities.has(capability));
  if (missing.length > 0) return missing.map(capabilityName).join(', ');
  const present = lacks.filter((capability) => traits.capabilities.has(capability));
  if (present.length > 0) return `it has ${present.map(capabilityName).join(', ')}`;
  if (asksDriverService && !traits.hasDriverService) return 'teu.storage.v1.DriverService';
  return layers > traits.maxLayerCount ? `${layers} layers` : undefined;
}

/** Runs one case in a directory of its own, and removes all snapshots that it leaves. */
export async function runCase(target: CaseTarget, { name, run }: ConformanceCase): Promise<void> {
  using work = tempDir();
  const prefix = `${target.keyPrefix}${name}/`;
  const context: CaseContext = {
    ...target,
    work: work.path,
    key: (text) => `${prefix}${text}`,
  };
  try {
    await run(context);
  } catch (error) {
    await removeAll(target.snapshots, prefix).catch(() => undefined);
    throw error;
  }
  await removeAll(target.snapshots, prefix);
}

/** Removes snapshots by the beginning of their names, children before their parents. */
async function removeAll(snapshots: SnapshotsClient, prefix: string): Promise<void> {
  const all = (await snapshots.list()).filter(({ name }) => name.startsWith(prefix));
  const left = new Map(all.map((info) => [info.name, info]));
  while (left.size > 0) {
    const parents = new Set([...left.values()].map(({ parent }) => parent));
    const leaves = [...left.keys()].filter((name) => !parents.has(name));
    if (leaves.length === 0) throw new Error('snapshots stand on each other in a circle');
    for (const name of leaves) {
      await snapshots.remove(name);
      left.delete(name);
    }
  }
}

/** Whether extended attributes may be written and are compared. */
export const keepsXattrs = ({ capabilities }: DriverTraits): boolean =>
  capabilities.has(Capability.CAPABILITY_XATTRS);

/** Whether times are compared to the nanosecond, and owners and years of any size are used. */
export const keepsExactAttributes = ({ capabilities }: DriverTraits): boolean =>
  capabilities.has(Capability.CAPABILITY_EXACT_ATTRIBUTES);
