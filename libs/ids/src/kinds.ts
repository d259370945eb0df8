import { teuError } from '@teu/errors';
import { hasControlCharacters } from './control-characters.js';
import { randomId } from './random-id.js';

declare const kind: unique symbol;
type Branded<K extends string> = string & { readonly [kind]: K };

/** 64 lower-case hexadecimal digits. */
export type ContainerId = Branded<'ContainerId'>;
/** 64 lower-case hexadecimal digits. */
export type ExecId = Branded<'ExecId'>;
/** What people call a container: unique while it exists. */
export type ContainerName = Branded<'ContainerName'>;
/** Key of an active snapshot or name of a committed one. */
export type SnapshotKey = Branded<'SnapshotKey'>;
/** Digest of a manifest or index, `sha256:…`. */
export type ImageDigest = Branded<'ImageDigest'>;
/** Digest of any blob, `sha256:…` or `sha512:…`. */
export type BlobDigest = Branded<'BlobDigest'>;
/** Digest over a layer and all below it (OCI image spec, config.md, "Layer ChainID"). */
export type ChainId = Branded<'ChainId'>;
/** Id of a control group; a container's is the container's. */
export type CgroupId = Branded<'CgroupId'>;
/** Path of a group of containers, `team/build`. */
export type GroupName = Branded<'GroupName'>;
/** Name that a storage driver is registered under. */
export type DriverName = Branded<'DriverName'>;

const HEX64 = /^[0-9a-f]{64}$/;
const SHA256 = /^sha256:[0-9a-f]{64}$/;
const SHA256_OR_512 = /^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/;
const PLAIN_ID = /^[a-z0-9][a-z0-9_.-]{0,127}$/;
const CONTAINER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
const SNAPSHOT_KEY = /^[a-zA-Z0-9][a-zA-Z0-9_.:-]*(?:\/[a-zA-Z0-9][a-zA-Z0-9_.:-]*)*$/;
const DRIVER_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const GROUP_SEGMENT = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/;
const HOST_LABEL = /^[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$/;
const LABEL_KEY = /^(?=.{1,255}$)[a-zA-Z0-9][a-zA-Z0-9_.-]*(?:\/[a-zA-Z0-9][a-zA-Z0-9_.-]*)*$/;

const SNAPSHOT_KEY_LENGTH_MAX = 256;
const GROUP_DEPTH_MAX = 8;
const HOSTNAME_LENGTH_MAX = 64;
const LABEL_VALUE_LENGTH_MAX = 4096;
const LABEL_COUNT_MAX = 256;

/** @throws INVALID_ID naming the field, never the value, which may be anything. */
function refuse(field: string, expectation: string): never {
  throw teuError('INVALID_ID', `${field} is not ${expectation}`, { metadata: { field } });
}

function matching(text: string, pattern: RegExp, field: string, expectation: string): string {
  if (typeof text !== 'string' || !pattern.test(text)) refuse(field, expectation);
  return text;
}

/** @throws INVALID_ID unless 64 lower-case hexadecimal digits. */
export function parseContainerId(text: string, field = 'container_id'): ContainerId {
  return matching(text, HEX64, field, '64 lower-case hexadecimal digits') as ContainerId;
}

/** @throws INVALID_ID unless 64 lower-case hexadecimal digits. */
export function parseExecId(text: string, field = 'exec_id'): ExecId {
  return matching(text, HEX64, field, '64 lower-case hexadecimal digits') as ExecId;
}

/** The beginning of an id as people type it: 1 to 64 lower-case hexadecimal digits. */
export function parseIdPrefix(text: string, field = 'id'): string {
  return matching(text, /^[0-9a-f]{1,64}$/, field, '1 to 64 lower-case hexadecimal digits');
}

/** @throws INVALID_ID unless letters, digits, `_.-`, at most 128, beginning with a letter or digit. */
export function parseContainerName(text: string, field = 'name'): ContainerName {
  return matching(
    text,
    CONTAINER_NAME,
    field,
    '1 to 128 letters, digits or _.- beginning with a letter or digit',
  ) as ContainerName;
}

/**
 * Segments of letters, digits and `_.:-`, divided by single slashes, each beginning with a letter or
 * digit (so never `..`), at most 256 in all. A driver must still not use it as a path.
 */
export function parseSnapshotKey(text: string, field = 'key'): SnapshotKey {
  matching(text, SNAPSHOT_KEY, field, 'a snapshot key');
  if (text.length > SNAPSHOT_KEY_LENGTH_MAX) refuse(field, 'at most 256 characters long');
  return text as SnapshotKey;
}

/**
 * Key of a container's writable layer.
 * @param generation number of layers that it has had before: one for each time it was copied onto another base
 */
export function containerSnapshotKey(id: ContainerId, generation = 0): SnapshotKey {
  return (generation === 0 ? `container/${id}` : `container/${id}/${generation}`) as SnapshotKey;
}

/** Key of the layer that a container gets after the one with this key. */
export function nextContainerSnapshotKey(id: ContainerId, key: string): SnapshotKey {
  const generation = Number(/^container\/[^/]+\/([0-9]{1,15})$/.exec(key)?.[1] ?? 0);
  return containerSnapshotKey(id, generation + 1);
}

/** @throws INVALID_ID unless `sha256:` and 64 lower-case hexadecimal digits. */
export function parseImageDigest(text: string, field = 'digest'): ImageDigest {
  return matching(text, SHA256, field, 'sha256: and 64 hexadecimal digits') as ImageDigest;
}

/** @throws INVALID_ID unless a sha256 or sha512 digest of the right length. */
export function parseBlobDigest(text: string, field = 'digest'): BlobDigest {
  return matching(text, SHA256_OR_512, field, 'a sha256 or sha512 digest') as BlobDigest;
}

/** @throws INVALID_ID unless `sha256:` and 64 lower-case hexadecimal digits. */
export function parseChainId(text: string, field = 'chain_id'): ChainId {
  return matching(text, SHA256, field, 'sha256: and 64 hexadecimal digits') as ChainId;
}

/** @throws INVALID_ID unless lower-case letters, digits, `_.-`, at most 128. */
export function parseCgroupId(text: string, field = 'cgroup_id'): CgroupId {
  return matching(
    text,
    PLAIN_ID,
    field,
    '1 to 128 lower-case letters, digits or _.- beginning with a letter or digit',
  ) as CgroupId;
}

/**
 * Path of a group of containers: 1 to 8 names divided by slashes, each of letters, digits and `_.-`, at most 64,
 * beginning with a letter or digit (so never `..`). @throws INVALID_ID.
 */
export function parseGroupName(text: string, field = 'group'): GroupName {
  const names = typeof text === 'string' ? text.split('/') : [];
  if (names.length > GROUP_DEPTH_MAX) refuse(field, `a path of at most ${GROUP_DEPTH_MAX} names`);
  if (names.length === 0 || !names.every((name) => GROUP_SEGMENT.test(name))) {
    refuse(
      field,
      'names divided by slashes, each 1 to 64 letters, digits or _.- beginning with a letter or digit',
    );
  }
  return text as GroupName;
}

/** @throws INVALID_ID unless lower-case letters, digits and `_-`, at most 64. */
export function parseDriverName(text: string, field = 'driver'): DriverName {
  return matching(text, DRIVER_NAME, field, 'lower-case letters, digits, _ or -') as DriverName;
}

/** A host name as sethostname(2) and /etc/hosts take it: labels divided by dots, at most 64 in all. */
export function parseHostname(text: string, field = 'hostname'): string {
  const valid =
    typeof text === 'string' &&
    text.length <= HOSTNAME_LENGTH_MAX &&
    text.split('.').every((label) => HOST_LABEL.test(label));
  if (!valid) refuse(field, 'a host name');
  return text;
}

/** Text that ends up in a line of a file, thus without control characters. @throws INVALID_ARGUMENT. */
export function parseSingleLine(text: string, field: string, lengthMax = 4096): string {
  if (hasControlCharacters(text) || text.length > lengthMax) {
    throw teuError(
      'INVALID_ARGUMENT',
      `${field} has control characters or is longer than ${lengthMax}`,
      { metadata: { field } },
    );
  }
  return text;
}

/** @throws INVALID_ID unless segments of letters, digits and `_.-` divided by slashes, at most 255 in all. */
export function parseLabelKey(text: string, field = 'labels'): string {
  return matching(text, LABEL_KEY, field, 'letters, digits or _.- in segments divided by slashes');
}

/** A copy of labels whose keys and values were checked. @throws INVALID_ID, INVALID_ARGUMENT. */
export function parseLabels(
  labels: Record<string, string>,
  field = 'labels',
): Record<string, string> {
  const entries = Object.entries(labels);
  if (entries.length > LABEL_COUNT_MAX) {
    throw teuError('INVALID_ARGUMENT', `${field} has more than ${LABEL_COUNT_MAX} entries`, {
      metadata: { field },
    });
  }
  return Object.fromEntries(
    entries.map(([key, value]) => [
      parseLabelKey(key, field),
      parseSingleLine(value, `${field}.${key}`, LABEL_VALUE_LENGTH_MAX),
    ]),
  );
}

/** A new random container id. */
export function newContainerId(): ContainerId {
  return randomId(32) as ContainerId;
}

/** A new random exec id. */
export function newExecId(): ExecId {
  return randomId(32) as ExecId;
}
