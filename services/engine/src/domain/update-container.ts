import { mergeResources } from '@teu/container-defaults';
import { isTeuError } from '@teu/errors';
import type { LinuxResources } from '@teu/proto/type';
import type { ContainerEntry } from './container-entry.js';
import { containerNotFound } from './container-registry.js';
import type { EngineParts } from './engine-parts.js';
import { requireSpec } from './executor-spec.js';
import { withoutGoneDevices } from './gone-devices.js';
import { validateResources } from './resource-validation.js';
import { recordUpdated } from './transitions.js';

/**
 * Changes limits of a container, at once if it runs. One that does not run has them from its next start on; a cgroup that
 * is made for a moment tells whether this host can enforce them.
 * @param signal gives the change up while memory is being freed for it
 * @throws INVALID_ARGUMENT, RESOURCE_UNSUPPORTED, INVALID_STATE if more is in use than allowed; then all is as it was
 */
export async function updateContainer(
  parts: EngineParts,
  entry: ContainerEntry,
  change: LinuxResources,
  signal?: AbortSignal,
): Promise<void> {
  validateResources(change, 'resources');
  await entry.mutex.run(async () => {
    if (entry.removed) throw containerNotFound(entry.id);
    const before = requireSpec(entry.container);
    const spec = { ...before, resources: mergeResources(before.resources, change) };
    // What has gone is not asked for again, unless this change names it.
    const there = withoutGoneDevices(before);
    const wanted = { ...there, resources: mergeResources(there.resources, change) };
    const record = (intentId: string): void => recordUpdated(parts, entry, spec, intentId);
    if (!entry.running) {
      await parts.limits.check(entry, wanted, record);
      return;
    }
    try {
      await parts.limits.change(entry, wanted, record, signal);
    } catch (error) {
      // It has ended, though its exit is not recorded yet.
      if (!isTeuError(error, 'CGROUP_NOT_FOUND')) throw error;
      await parts.limits.check(entry, wanted, record);
    }
  });
}
