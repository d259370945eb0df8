import {
  ChangeKind,
  CompareSnapshotsRequest,
  ImageServiceService,
  TransplantSnapshotRequest,
} from '@teu/proto/image';
import { SnapshotsService } from '@teu/proto/snapshots';
import type { ImageStand } from './image-stand.js';

const LETTERS: Readonly<Record<number, string>> = {
  [ChangeKind.CHANGE_KIND_ADDED]: 'added',
  [ChangeKind.CHANGE_KIND_REMOVED]: 'removed',
  [ChangeKind.CHANGE_KIND_CONTENT]: 'content',
  [ChangeKind.CHANGE_KIND_ATTRIBUTES]: 'attributes',
};

/** Makes a writable snapshot, as an engine does for a container. */
export async function prepareSnapshot(
  { driver }: ImageStand,
  key: string,
  parent: string,
): Promise<void> {
  const request = { snapshotter: driver.name, key, parent, labels: {} };
  await driver.channel.unary(SnapshotsService.prepare, request);
}

/** The differences of two snapshots, "added /etc/passwd", and how many messages they came in. */
export async function compare(
  { service }: ImageStand,
  from: string,
  to: string,
): Promise<{ changes: string[]; messageCount: number }> {
  const request = CompareSnapshotsRequest.create({ from, to });
  const changes: string[] = [];
  let messageCount = 0;
  const options = { timeoutMs: 60_000 };
  const answers = service.channel.serverStream(
    ImageServiceService.compareSnapshots,
    request,
    options,
  );
  for await (const answer of answers) {
    messageCount += 1;
    changes.push(...answer.changes.map(({ kind, path }) => `${LETTERS[kind] ?? '?'} ${path}`));
  }
  return { changes, messageCount };
}

/** Makes a snapshot on another parent; gives the number of changed names. */
export async function transplant(
  { service }: ImageStand,
  request: Partial<TransplantSnapshotRequest>,
): Promise<number> {
  const full = TransplantSnapshotRequest.create(request);
  const options = { timeoutMs: 60_000 };
  const answer = await service.channel.unary(ImageServiceService.transplantSnapshot, full, options);
  return answer.changedCount;
}
