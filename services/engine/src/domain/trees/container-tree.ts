import { teuError } from '@teu/errors';
import {
  ArchiveServiceService,
  ChangeKind,
  type Change,
  type DownloadSnapshotResponse,
  type ExportSnapshotResponse,
  type Image,
} from '@teu/proto/image';
import type { CommitContainerRequest } from '@teu/proto/engine';
import { compareSnapshots } from '../bases/tree-changes.js';
import type { ContainerEntry } from '../container-entry.js';
import { containerNotFound } from '../container-registry.js';
import type { EngineParts } from '../engine-parts.js';
import { requireSpec } from '../executor-spec.js';

/** A layer may hold as much as a disk does. */
const COMMIT_TIMEOUT_MS = 60 * 60_000;

/**
 * What the engine and the executor mount into every container. If an image does not have the name, one is made for the
 * mount; it is no change that the container has made.
 */
const MOUNT_POINTS: ReadonlySet<string> = new Set([
  ...['/dev', '/proc', '/sys'],
  ...['/etc/hostname', '/etc/hosts', '/etc/resolv.conf'],
]);

/** Tells what a container has changed in its root file system, some at a time. */
export async function* diffContainer(
  parts: EngineParts,
  entry: ContainerEntry,
  signal: AbortSignal,
): AsyncGenerator<Change[], void, undefined> {
  await settle(parts, entry);
  const { driver, snapshotKey } = entry.container;
  const from = await parentOf(parts, entry);
  for await (const changes of compareSnapshots(
    parts.peers,
    { driver, from, to: snapshotKey },
    signal,
  )) {
    const own = changes.filter(({ kind, path }) => !isForMount(kind, path));
    if (own.length > 0) yield own;
  }
}

const isForMount = (kind: ChangeKind, path: string): boolean =>
  kind === ChangeKind.CHANGE_KIND_ADDED && MOUNT_POINTS.has(path);

/** Has the root file system written to a file. */
export async function* exportContainer(
  parts: EngineParts,
  entry: ContainerEntry,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<ExportSnapshotResponse, void, undefined> {
  await settle(parts, entry);
  const { driver, snapshotKey: key } = entry.container;
  const { exportSnapshot } = ArchiveServiceService;
  yield* parts.peers.image.serverStream(exportSnapshot, { path, driver, key }, { signal });
}

/** Gives the tar of the root file system as it is asked for. */
export async function* downloadContainer(
  parts: EngineParts,
  entry: ContainerEntry,
  signal: AbortSignal,
): AsyncGenerator<DownloadSnapshotResponse, void, undefined> {
  await settle(parts, entry);
  const { driver, snapshotKey: key } = entry.container;
  const { downloadSnapshot } = ArchiveServiceService;
  yield* parts.peers.image.serverStream(downloadSnapshot, { driver, key }, { signal });
}

/**
 * Makes an image of a container.
 * @throws CONFLICT if it wrote meanwhile, which it does not while it is frozen; and as the image service
 */
export async function commitContainer(
  parts: EngineParts,
  entry: ContainerEntry,
  request: CommitContainerRequest,
): Promise<Image> {
  await settle(parts, entry);
  const work = (): Promise<Image> => commitTree(parts, entry, request);
  return request.skipFreeze ? work() : parts.freezer.whileFrozen(entry, work);
}

async function commitTree(
  parts: EngineParts,
  { container }: ContainerEntry,
  request: CommitContainerRequest,
): Promise<Image> {
  const { entrypoint, args } = requireSpec(container);
  const { reference, author, comment, changes, compression, createTime } = request;
  const { image } = await parts.peers.image.call(
    ArchiveServiceService.commitSnapshot,
    {
      ...{ reference, author, comment, changes, compression, createTime },
      ...{ driver: container.driver, key: container.snapshotKey, image: container.imageId },
      createdBy: [...(entrypoint?.values ?? []), ...args].join(' '),
      excludedPaths: [...MOUNT_POINTS],
    },
    { timeoutMs: COMMIT_TIMEOUT_MS, retryMs: 0 },
  );
  if (image === undefined) throw teuError('INTERNAL', 'a commit was answered without an image');
  return image;
}

/** What an earlier run has left may still write to the layer. */
async function settle(parts: EngineParts, entry: ContainerEntry): Promise<void> {
  if (entry.removed) throw containerNotFound(entry.id);
  if (!entry.running) await parts.teardown.settle(entry.id);
}

/** Name of the snapshot that a container's layer stands on. */
async function parentOf(parts: EngineParts, entry: ContainerEntry): Promise<string> {
  const { driver, snapshotKey: key } = entry.container;
  const info = await parts.drivers.get(driver).stat(key);
  if (info !== undefined) return info.parent;
  const text = `the layer of container ${entry.id} is not in the storage driver ${driver}`;
  throw teuError('SNAPSHOT_NOT_FOUND', text, { metadata: { driver, container: entry.id } });
}
