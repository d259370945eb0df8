import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@teu/testing';
import { expect, it } from 'vitest';
import { createDownloads, type DownloadRequest, type FetchBlob } from './downloads.js';

const BYTES = Buffer.from('what it is');
const BLOB = { digest: 'sha256:0', size: BYTES.length };

const request = (fetch: FetchBlob): DownloadRequest => ({
  ...{ blob: BLOB, fetch, progress: () => undefined, retrying: () => undefined },
  signal: new AbortController().signal,
});
const refused: FetchBlob = () => Promise.reject(new Error('the line is dead'));
const works: FetchBlob = (sink) => sink.write(BYTES);

it('begins anew for who comes in the moment in which a download fails', async () => {
  using directory = tempDir();
  const path = join(directory.path, 'blob');
  const ingests = { open: () => open(path, 'a+') };
  const downloads = createDownloads({ ingests, blobs: {} } as unknown as Parameters<
    typeof createDownloads
  >[0]);
  const first = await downloads.join(request(refused));
  const second = first.done.catch(() => downloads.join(request(works)));
  await expect(first.done).rejects.toThrow('the line is dead');
  const { done } = (await second) as Awaited<ReturnType<typeof downloads.join>>;
  await done;
});
