import { Buffer } from 'node:buffer';
import {
  ArchiveFormat,
  ArchiveServiceService,
  type HistoryEntry,
  type SaveResult,
} from '@teu/proto/image';
import type { ImageStand } from './image-stand.js';

const CALL_MS = 60_000;

/** Saves images to a file. */
export async function save(
  { service }: Pick<ImageStand, 'service'>,
  path: string,
  references: string[],
  format: ArchiveFormat = ArchiveFormat.ARCHIVE_FORMAT_UNSPECIFIED,
): Promise<SaveResult> {
  const { saveImages } = ArchiveServiceService;
  const answers = service.channel.serverStream(
    saveImages,
    { path, references, format },
    { timeoutMs: CALL_MS },
  );
  for await (const { event } of answers) if (event?.$case === 'result') return event.value;
  throw new Error('the save ended without a result');
}

/** Downloads an archive of images. */
export async function download(
  { service }: Pick<ImageStand, 'service'>,
  references: string[],
  format: ArchiveFormat = ArchiveFormat.ARCHIVE_FORMAT_UNSPECIFIED,
): Promise<Buffer> {
  const { downloadImages } = ArchiveServiceService;
  const answers = service.channel.serverStream(
    downloadImages,
    { references, format },
    { timeoutMs: CALL_MS },
  );
  const messages = await Array.fromAsync(answers, ({ data }) => data);
  return Buffer.concat(messages);
}

/** Steps of an image, newest first. */
export async function history(
  { service }: Pick<ImageStand, 'service'>,
  reference: string,
): Promise<HistoryEntry[]> {
  const { getImageHistory } = ArchiveServiceService;
  return (await service.channel.unary(getImageHistory, { reference })).entries;
}
