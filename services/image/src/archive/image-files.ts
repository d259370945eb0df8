import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { teuError } from '@teu/errors';
import { DOCUMENT_BYTES_MAX } from '../domain/strict-json.js';
import type { TarMember } from './tar-members.js';

/** A piece of an open file. */
export interface BlobPlace {
  file: FileHandle;
  /** Bytes. */
  offset: number;
  size: number;
}

/** The files of an archive of images, wherever they lie. */
export interface ImageFiles {
  has(name: string): Promise<boolean>;
  /** @throws ARCHIVE_INVALID if there is no such plain file */
  find(name: string): Promise<BlobPlace>;
  close(): Promise<void>;
}

/** Reads a small file whole. @throws ARCHIVE_INVALID absent, IMAGE_INVALID larger than 4 MiB */
export async function readDocument(files: ImageFiles, name: string): Promise<Uint8Array> {
  return readPlace(await files.find(name), name);
}

/** Reads a small piece whole. @throws IMAGE_INVALID if it is larger than 4 MiB */
export async function readPlace(place: BlobPlace, what: string): Promise<Uint8Array> {
  if (place.size > DOCUMENT_BYTES_MAX) {
    throw teuError('IMAGE_INVALID', `${what} exceeds ${DOCUMENT_BYTES_MAX} bytes`, {
      metadata: { document: what },
    });
  }
  const buffer = Buffer.alloc(place.size);
  const { bytesRead } = await place.file.read(buffer, 0, place.size, place.offset);
  if (bytesRead < place.size) throw missing(what, 'is cut off');
  return buffer;
}

/** Files inside a tar. Names are looked up in its index and never in a file system. */
export function tarFiles(file: FileHandle, members: ReadonlyMap<string, TarMember>): ImageFiles {
  const lookUp = (name: string): TarMember | undefined => {
    const found = members.get(name);
    // Docker before version 25 wrote a layer that occurs twice as a link from one place to the other.
    if (found?.kind !== 'link') return found;
    return members.get(posix.join(posix.dirname(name), found.linkName));
  };
  return {
    has: async (name) => Promise.resolve(lookUp(name)?.kind === 'file'),
    find: async (name) => {
      const member = lookUp(name);
      if (member?.kind !== 'file') throw missing(name, 'is not in the archive');
      return Promise.resolve({ file, offset: member.offset, size: member.size });
    },
    close: () => file.close(),
  };
}

/** Files of a directory. Links are not followed. */
export function directoryFiles(directory: string): ImageFiles {
  const opened = new Map<string, FileHandle>();
  const openPlain = async (name: string): Promise<FileHandle | undefined> => {
    const known = opened.get(name);
    if (known) return known;
    try {
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      const file = await open(join(directory, name), flags);
      opened.set(name, file);
      return (await file.stat()).isFile() ? file : undefined;
    } catch {
      return undefined;
    }
  };
  return {
    has: async (name) => (await openPlain(name)) !== undefined,
    find: async (name) => {
      const file = await openPlain(name);
      if (!file) throw missing(name, 'is not in the directory');
      return { file, offset: 0, size: (await file.stat()).size };
    },
    close: async () => {
      await Promise.all([...opened.values()].map((file) => file.close()));
    },
  };
}

function missing(name: string, wrong: string): Error {
  return teuError('ARCHIVE_INVALID', `"${name.slice(0, 256)}" ${wrong}`, {
    metadata: { member: name.slice(0, 256) },
  });
}
