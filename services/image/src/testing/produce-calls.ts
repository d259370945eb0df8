import { Buffer } from 'node:buffer';
import {
  ArchiveServiceService,
  CommitSnapshotRequest,
  type Image,
  type SaveResult,
} from '@teu/proto/image';
import type { ImageStand } from './image-stand.js';

const CALL_MS = 60_000;

/** Makes an image of an active snapshot. */
export async function commit(
  { service }: Pick<ImageStand, 'service'>,
  request: Partial<CommitSnapshotRequest>,
): Promise<Image> {
  const full = CommitSnapshotRequest.create(request);
  const options = { timeoutMs: CALL_MS };
  const answer = await service.channel.unary(ArchiveServiceService.commitSnapshot, full, options);
  if (answer.image === undefined) throw new Error('the commit answers without an image');
  return answer.image;
}

/** Writes a snapshot's tree to a file. */
export async function exportTo(
  { service }: Pick<ImageStand, 'service'>,
  key: string,
  path: string,
): Promise<SaveResult> {
  const method = ArchiveServiceService.exportSnapshot;
  const request = { driver: '', key, path };
  const answers = service.channel.serverStream(method, request, { timeoutMs: CALL_MS });
  for await (const { event } of answers) if (event?.$case === 'result') return event.value;
  throw new Error('the export ended without a result');
}

/** Takes the tar of a snapshot's tree. */
export async function downloadTree(
  { service }: Pick<ImageStand, 'service'>,
  key: string,
): Promise<Buffer> {
  const method = ArchiveServiceService.downloadSnapshot;
  const answers = service.channel.serverStream(method, { driver: '', key }, { timeoutMs: CALL_MS });
  return Buffer.concat(await Array.fromAsync(answers, ({ data }) => data));
}
