import { isTeuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { CgroupServiceService, type CgroupMembership } from '@teu/proto/cgroup';
import type { Mount } from '@teu/proto/snapshots';
import type { LinuxResources } from '@teu/proto/type';
import type { ContainerEntry } from './container-entry.js';
import { filesOwner } from './container-files.js';
import { withImage, type Draft } from './draft.js';
import type { EngineParts } from './engine-parts.js';
import { requireSpec, type LaunchParts } from './executor-spec.js';
import { cgroupResources } from './host-devices.js';
import { sameImage } from './image-cache.js';
import type { StartClock } from './start-trace.js';
import { recordRevision } from './transitions.js';

/** How long a cgroup may take before the start is given up. */
const CALL_TIMEOUT_MS = 10_000;
/** Label by which Prepare is asked for a limit, in bytes (containerd 2, core/snapshots). */
const QUOTA_LABEL = 'containerd.io/snapshot/max-size';

/**
 * Makes the writable layer of a new container and its cgroup, side by side, while the image service confirms what
 * the draft assumed of the image.
 */
export async function prepareNew(
  parts: EngineParts,
  entry: ContainerEntry,
  draft: Draft,
  trace: StartClock,
): Promise<LaunchParts> {
  const snapshot = trace.phase('prepare', () => prepareConfirmed(parts, entry, draft));
  const cgroup = trace.phase('cgroup', () => createCgroup(parts, entry));
  const fileMounts = trace.phaseSync('files', () => parts.files.write(filesOwner(entry.container)));
  const [rootMounts, membership] = await bothSettled(snapshot, cgroup);
  return { rootMounts, membership, fileMounts };
}

/** Makes only the writable layer, for a container that is not started yet. */
export async function prepareLayer(
  parts: EngineParts,
  entry: ContainerEntry,
  draft: Draft,
  trace: StartClock,
): Promise<void> {
  await trace.phase('prepare', () => prepareConfirmed(parts, entry, draft));
}

/** Asks again for the layer of a container that has one, and makes a cgroup. */
export async function prepareAgain(
  parts: EngineParts,
  entry: ContainerEntry,
  trace: StartClock,
): Promise<LaunchParts> {
  const { driver, snapshotKey } = entry.container;
  const snapshot = trace.phase('prepare', () => parts.drivers.get(driver).mounts(snapshotKey));
  const cgroup = trace.phase('cgroup', () => createCgroup(parts, entry));
  const fileMounts = trace.phaseSync('files', () => parts.files.write(filesOwner(entry.container)));
  const [rootMounts, membership] = await bothSettled(snapshot, cgroup);
  return { rootMounts, membership, fileMounts };
}

async function prepareConfirmed(
  parts: EngineParts,
  entry: ContainerEntry,
  draft: Draft,
): Promise<Mount[]> {
  const { rootSizeBytes } = draft.asked;
  const begun = makeLayer(parts, entry.container, draft.image.snapshot, rootSizeBytes).then(
    (mounts) => ({ mounts }),
    (error: unknown) => ({ error }),
  );
  const [outcome, confirmed] = await Promise.all([begun, draft.confirmation]).catch(
    async (error: unknown) => {
      await begun;
      throw error;
    },
  );
  failpoint('engine.start.after-prepare');
  if (sameImage(draft.image, confirmed)) {
    if ('error' in outcome) throw outcome.error;
    return outcome.mounts;
  }
  // The name means another image by now. What was begun with the old one has been seen by nobody.
  const { driver, snapshotKey } = entry.container;
  if (!('error' in outcome)) await parts.drivers.get(driver).remove(snapshotKey);
  else if (!isTeuError(outcome.error) || outcome.error.status !== 'NOT_FOUND') throw outcome.error;
  recordRevision(parts, entry, withImage(parts, entry.container, draft.asked, confirmed));
  return makeLayer(parts, entry.container, confirmed.snapshot, rootSizeBytes);
}

/**
 * Makes a writable layer on top of a committed one.
 * @param sizeBytes most that the layer may hold; 0 for no limit
 */
export async function makeLayer(
  { drivers }: Pick<EngineParts, 'drivers'>,
  { driver, snapshotKey }: { driver: string; snapshotKey: string },
  parent: string,
  sizeBytes = 0,
): Promise<Mount[]> {
  const client = drivers.get(driver);
  const labels = limitLabels(sizeBytes);
  try {
    return await client.prepare({ key: snapshotKey, parent, labels });
  } catch (error) {
    // Only a repeated call can find this key taken.
    if (!isTeuError(error) || error.status !== 'ALREADY_EXISTS') throw error;
    return client.mounts(snapshotKey);
  }
}

/** Labels by which a driver is asked to limit a layer. @param sizeBytes most that it may hold; 0 for no limit */
export function limitLabels(sizeBytes: number): Record<string, string> {
  return sizeBytes > 0 ? { [QUOTA_LABEL]: String(sizeBytes) } : {};
}

async function createCgroup(
  parts: EngineParts,
  entry: ContainerEntry,
): Promise<CgroupMembership | undefined> {
  const spec = requireSpec(entry.container);
  const wanted = { resources: cgroupResources(spec), group: spec.group };
  const membership = await makeCgroup(parts, entry.id, wanted);
  failpoint('engine.start.after-cgroup');
  return membership;
}

/**
 * Makes a cgroup with these limits, in a group of containers if one is named.
 * @throws GROUP_NOT_FOUND, and what else the cgroup service says
 */
export async function makeCgroup(
  { peers }: Pick<EngineParts, 'peers'>,
  id: string,
  { resources, group }: { resources: LinuxResources | undefined; group: string },
): Promise<CgroupMembership | undefined> {
  const request = { id, resources, group };
  const options = { timeoutMs: CALL_TIMEOUT_MS };
  const { cgroup } = await peers.cgroup.call(CgroupServiceService.createCgroup, request, options);
  return cgroup?.membership;
}

/** Waits for both, also when one fails: an undo must not run beside what it undoes. */
export async function bothSettled<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([one, other]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'rejected') throw second.reason;
  return [first.value, second.value];
}
