import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { teuError } from '@teu/errors';
import { ArchiveFormat } from '@teu/proto/image';
import { classifyTar } from '../archive/classify-archive.js';
import {
  outerCompression,
  uncompressedStart,
  type OuterCompression,
} from '../archive/compressed-start.js';
import { readDockerArchive } from '../archive/docker-archive.js';
import { directoryFiles, tarFiles, type ImageFiles } from '../archive/image-files.js';
import type { SourceImage } from '../archive/image-source.js';
import { lacksLayers, readOciLayout } from '../archive/oci-layout.js';
import type { ReadAt } from '../archive/tar-members.js';
import type { LayerWorker } from '../layers/layer-worker.js';

/** The images of a file or directory, ready to be read. */
export interface OpenedArchive {
  images: SourceImage[];
  isRootfs: boolean;
  close(): Promise<void>;
}

interface OpenContext {
  worker: LayerWorker;
  /** For the uncompressed form of a compressed archive. */
  staging: string;
  signal: AbortSignal;
}

/**
 * Opens what holds images and finds out its form, if it is not given.
 * @throws INVALID_ARGUMENT, ARCHIVE_INVALID, IMAGE_INVALID, IMAGE_UNSUPPORTED, DIGEST_MISMATCH
 */
export async function openArchive(
  path: string,
  format: ArchiveFormat,
  context: OpenContext,
): Promise<OpenedArchive> {
  if (!isAbsolute(path) || path.includes('\0')) {
    throw teuError('INVALID_ARGUMENT', 'path is not absolute', { metadata: { field: 'path' } });
  }
  const info = await stat(path).catch((cause: unknown) => {
    throw unreadable(cause);
  });
  if (info.isDirectory()) return openDirectory(path, format);
  if (!info.isFile()) throw teuError('ARCHIVE_INVALID', 'the path is no file and no directory');
  const file = await open(path, constants.O_RDONLY).catch((cause: unknown) => {
    throw unreadable(cause);
  });
  try {
    return await openFile(file, info.size, format, context);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openDirectory(path: string, format: ArchiveFormat): Promise<OpenedArchive> {
  const layout =
    format === ArchiveFormat.ARCHIVE_FORMAT_OCI_LAYOUT ||
    format === ArchiveFormat.ARCHIVE_FORMAT_UNSPECIFIED;
  const files = directoryFiles(path);
  try {
    if (!layout || !(await files.has('oci-layout'))) {
      throw teuError('ARCHIVE_INVALID', 'the directory is not an OCI image layout');
    }
    return { images: await readOciLayout(files), isRootfs: false, close: () => files.close() };
  } catch (error) {
    await files.close();
    throw error;
  }
}

async function openFile(
  file: FileHandle,
  size: number,
  format: ArchiveFormat,
  context: OpenContext,
): Promise<OpenedArchive> {
  const compression = await outerCompression(file);
  if (format === ArchiveFormat.ARCHIVE_FORMAT_ROOTFS) return rootfs(file, size, compression);
  if (compression !== 'none') {
    const start = await uncompressedStart(file, compression);
    const content = await classifyTar(readerOf(start), false);
    if (content.kind === 'rootfs') return requireKnown(format, rootfs(file, size, compression));
  }
  const plain = compression === 'none' ? file : await decode(file, size, compression, context);
  const content = await classifyTar(readerOfFile(plain), true);
  if (content.kind === 'oci' || content.kind === 'docker') {
    if (plain !== file) await file.close();
    return openImages(tarFiles(plain, content.members), content.kind, format);
  }
  if (plain !== file) await plain.close();
  return requireKnown(format, rootfs(file, size, compression));
}

async function openImages(
  files: ImageFiles,
  kind: 'oci' | 'docker',
  format: ArchiveFormat,
): Promise<OpenedArchive> {
  // Docker since version 25 writes both indexes into one archive; the OCI one has the digests.
  const asDocker =
    kind === 'docker' ||
    (format !== ArchiveFormat.ARCHIVE_FORMAT_OCI_LAYOUT &&
      (await files.has('manifest.json')) &&
      (format === ArchiveFormat.ARCHIVE_FORMAT_DOCKER || (await lacksLayers(files))));
  if (kind === 'docker' && format === ArchiveFormat.ARCHIVE_FORMAT_OCI_LAYOUT) {
    throw teuError('ARCHIVE_INVALID', 'the archive is not an OCI image layout');
  }
  const images = await (asDocker ? readDockerArchive(files) : readOciLayout(files));
  return { images, isRootfs: false, close: () => files.close() };
}

function requireKnown(format: ArchiveFormat, archive: OpenedArchive): OpenedArchive {
  if (format === ArchiveFormat.ARCHIVE_FORMAT_UNSPECIFIED) return archive;
  throw teuError('ARCHIVE_INVALID', 'the file is not an archive of images');
}

function rootfs(file: FileHandle, size: number, compression: OuterCompression): OpenedArchive {
  const place = () => Promise.resolve({ file, offset: 0, size });
  const images: SourceImage[] = [{ layers: [{ place, compression }], names: [] }];
  return { images, isRootfs: true, close: () => file.close() };
}

/** Members of a compressed archive can be reached only in its uncompressed form. */
async function decode(
  file: FileHandle,
  size: number,
  compression: 'gzip' | 'zstd',
  { worker, staging, signal }: OpenContext,
): Promise<FileHandle> {
  const plain = await open(join(staging, 'archive.tar'), 'w+', 0o600);
  try {
    const blob = { file, offset: 0, size };
    await worker.copy({ blob, compression, decodeTo: plain, signal, role: 'archive' });
    return plain;
  } catch (error) {
    await plain.close();
    throw error;
  }
}

function readerOf(bytes: Uint8Array): ReadAt {
  return (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length));
}

function readerOfFile(file: FileHandle): ReadAt {
  return async (offset, length) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  };
}

function unreadable(cause: unknown): Error {
  return teuError('ARCHIVE_INVALID', 'the path cannot be read: it is not there, or not permitted', {
    metadata: { field: 'path' },
    cause,
  });
}
