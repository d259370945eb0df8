import { createGunzip, createZstdDecompress, type Zlib } from 'node:zlib';
import type { Transform } from 'node:stream';
import type { FileHandle } from 'node:fs/promises';

export type OuterCompression = 'none' | 'gzip' | 'zstd';

const START_BYTES = 256 * 1024;
const PLAIN_BYTES_MAX = 1024 * 1024;

/** Recognises gzip (RFC 1952) and zstd (RFC 8878) by their first bytes. */
export async function outerCompression(file: FileHandle): Promise<OuterCompression> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
  if (bytesRead >= 2 && buffer.readUInt16BE(0) === 0x1f8b) return 'gzip';
  if (bytesRead >= 4 && buffer.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
  return 'none';
}

/**
 * The beginning of a compressed file, uncompressed: at most 1 MiB, enough to see the first names of a
 * tar. Damage is not looked for; it ends what is given.
 */
export async function uncompressedStart(
  file: FileHandle,
  compression: 'gzip' | 'zstd',
): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0);
  const decoder: Transform & Zlib =
    compression === 'gzip' ? createGunzip() : createZstdDecompress();
  const chunks: Buffer[] = [];
  let size = 0;
  await new Promise<void>((resolve) => {
    decoder.on('error', () => resolve());
    decoder.on('end', resolve);
    decoder.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= PLAIN_BYTES_MAX) resolve();
    });
    // What was cut off raises an error at the end; all that could be read has come out by then.
    decoder.end(buffer.subarray(0, bytesRead));
  });
  decoder.destroy();
  return Buffer.concat(chunks);
}
