import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { isTeuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { Damage, DamageAction, DamageKind } from '@teu/proto/image';
import type { BlobRow } from '../../store/blob-store.js';
import { BLOB_GONE } from '../../store/blob-quarantine.js';
import { onDisk } from '../../store/storage-error.js';
import type { ImageParts } from '../image-parts.js';
import { readDocuments } from '../image-documents.js';
import { quarantineBlob, wrongBytes } from '../quarantine-blob.js';
import { recordBlob } from '../record-blob.js';
import { namesOf } from './images-named.js';
import type { Findings, VerifyScope } from './verify-images.js';

/** A blob that is not what it should be. */
interface BadBlob {
  readonly blob: BlobRow;
  readonly kind: DamageKind;
  readonly why: string;
}

/** Hashes all blobs of the images, and reads their documents again. */
export async function* verifyBlobs(parts: ImageParts, scope: VerifyScope): Findings {
  const { tally, signal } = scope;
  const blobs = blobsOf(parts, scope);
  tally.totalBytes = blobs.reduce((sum, { size }) => sum + size, 0);
  for (const blob of blobs) {
    signal.throwIfAborted();
    parts.pins.pin(blob.digest);
    try {
      // Pinned while it is there, it stays: one that went and comes again meanwhile would look like a lost one.
      const isHere = parts.blobs.find(blob.digest) !== undefined;
      const bad = isHere ? await judgeBlob(parts, scope, blob) : undefined;
      tally.countBlob(blob.size);
      if (bad !== undefined) yield await dealWith(parts, scope, bad);
    } finally {
      parts.pins.release([blob.digest]);
    }
    yield undefined;
  }
}

/** Those of the newest images first, then those of none. */
function blobsOf({ blobs, images }: ImageParts, { imageIds, isAll }: VerifyScope): BlobRow[] {
  const digests = imageIds.flatMap((id) => {
    const image = images.byId(id);
    if (image === undefined) return [];
    return [image.id, image.manifestDigest, ...image.layers.map(({ digest }) => digest)];
  });
  const others = isAll ? blobs.list().map(({ digest }) => digest) : [];
  return [...new Set([...digests, ...others])].flatMap((digest) => blobs.find(digest) ?? []);
}

async function judgeBlob(
  parts: ImageParts,
  { idle, signal }: VerifyScope,
  blob: BlobRow,
): Promise<BadBlob | undefined> {
  const { digest, size } = blob;
  const found = await parts.hasher.hash(parts.blobs.path(digest), idle, signal);
  // Removed meanwhile.
  if (parts.blobs.find(digest) === undefined) return undefined;
  const known = parts.blobs.damageOf(digest);
  if (found === undefined) {
    const kind =
      known === undefined || known === BLOB_GONE
        ? DamageKind.DAMAGE_KIND_BLOB_MISSING
        : DamageKind.DAMAGE_KIND_BLOB_CHANGED;
    return { blob, kind, why: known ?? BLOB_GONE };
  }
  const kind = DamageKind.DAMAGE_KIND_BLOB_CHANGED;
  if (found.digest === '') return { blob, kind, why: wrongBytes('') };
  if (found.bytes !== size) {
    return { blob, kind, why: `it has ${found.bytes} bytes instead of ${size}` };
  }
  if (found.digest !== digest) return { blob, kind, why: wrongBytes(found.digest) };
  const why = await unreadable(parts, digest);
  // A crash came between the blob's return and the row that tells of it.
  if (why === undefined && known !== undefined) return { blob, kind, why: known };
  return why === undefined ? undefined : { blob, kind, why };
}

/** Why a config does not go with what is recorded of its image; undefined for any other blob. */
async function unreadable(parts: ImageParts, digest: string): Promise<string | undefined> {
  const image = parts.images.byId(digest);
  if (image === undefined || parts.blobs.damageOf(image.manifestDigest) !== undefined) {
    return undefined;
  }
  try {
    await readDocuments(parts, image);
    return undefined;
  } catch (error) {
    // What is wrong with the manifest's bytes is told of the manifest.
    if (isTeuError(error, 'IMAGE_INVALID')) return error.message;
    return undefined;
  }
}

async function dealWith(
  parts: ImageParts,
  scope: VerifyScope,
  { blob, kind, why }: BadBlob,
): Promise<Damage> {
  const { digest } = blob;
  const images = namesOf(parts, parts.images.usersOf(digest));
  const damage = Damage.create({ kind, digest, images, detail: why });
  if (!scope.repair) {
    const isKnown = parts.blobs.damageOf(digest) !== undefined;
    if (isKnown) damage.action = DamageAction.DAMAGE_ACTION_QUARANTINED;
    return damage;
  }
  if (await liftIfWhole(parts, scope, blob)) {
    return { ...damage, action: DamageAction.DAMAGE_ACTION_REBUILT };
  }
  quarantineBlob(parts, digest, why, scope.requestId);
  failpoint('image.mend.after-quarantine');
  if (await fetchAgain(parts, scope, blob)) {
    return { ...damage, action: DamageAction.DAMAGE_ACTION_REPULLED };
  }
  const detail = `${why}; load or pull an image that has it, which mends it`;
  return { ...damage, detail, action: DamageAction.DAMAGE_ACTION_QUARANTINED };
}

/** What is in its place may be a whole one that came back before a crash. */
async function liftIfWhole(
  parts: ImageParts,
  { idle, requestId, signal }: VerifyScope,
  { digest, size }: BlobRow,
): Promise<boolean> {
  if (parts.blobs.damageOf(digest) === undefined) return false;
  const found = await parts.hasher.hash(parts.blobs.path(digest), idle, signal);
  if (found?.digest !== digest) return false;
  await parts.blobs.syncDirectory();
  parts.store.transaction(() => recordBlob(parts, digest, size, requestId));
  return true;
}

/** Gets a blob once more from where it came, if that is known. Believes nothing that comes. */
async function fetchAgain(
  parts: ImageParts,
  { requestId, signal }: VerifyScope,
  blob: BlobRow,
): Promise<boolean> {
  const { blobOrigins, blobs, hasher, log, store } = parts;
  const operation = randomUUID();
  try {
    return await onDisk(async () => {
      const path = join(blobs.makeStaging(operation), 'blob');
      if (!(await blobOrigins.fetch(blob, path, signal))) return false;
      const found = await hasher.hash(path, false, signal);
      if (found?.digest !== blob.digest) return false;
      await syncFile(path);
      blobs.promote(path, blob.digest);
      await blobs.syncDirectory();
      store.transaction(() => recordBlob(parts, blob.digest, blob.size, requestId));
      return true;
    });
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ err: error, digest: blob.digest }, 'a damaged blob could not be fetched again');
    return false;
  } finally {
    blobs.removeStaging(operation);
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
