import { teuError } from '@teu/errors';
import { parseImageDigest, type ImageDigest } from './kinds.js';

/** Where an image comes from and what it is called there. */
export interface ImageReference {
  /** Host and port, for example `docker.io` or `localhost:5000`. */
  registry: string;
  /** Path in the registry, for example `library/debian`. */
  repository: string;
  /** Tag; absent if only a digest was given. */
  tag?: string;
  digest?: ImageDigest;
}

const LENGTH_MAX = 512;
const REPOSITORY_LENGTH_MAX = 255;
const DEFAULT_REGISTRY = 'docker.io';
const HOST =
  /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*$/;
const BRACKETED_IPV6 = /^\[[0-9a-fA-F:]{2,45}\]$/;
const PORT = /^[0-9]{1,5}$/;
// distribution spec, "Pulling manifests": <name> and <reference>.
const PATH_SEGMENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/**
 * Reads `[registry[:port]/]path[:tag][@digest]` as the docker CLI does: without a registry it is
 * docker.io, there a path without a slash is under `library/`; without tag and digest the tag is
 * `latest`.
 * @throws INVALID_ID naming the field.
 */
export function parseImageReference(text: string, field = 'reference'): ImageReference {
  if (typeof text !== 'string' || text.length === 0 || text.length > LENGTH_MAX) {
    refuse(field, 'empty or too long');
  }
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : parseImageDigest(text.slice(at + 1), field);
  let rest = at < 0 ? text : text.slice(0, at);

  const colon = rest.lastIndexOf(':');
  let tag: string | undefined;
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!TAG.test(tag)) refuse(field, 'without a valid tag');
  }
  const { registry, path } = splitRegistry(rest, field);
  const repository =
    registry === DEFAULT_REGISTRY && !path.includes('/') ? `library/${path}` : path;
  if (
    repository.length > REPOSITORY_LENGTH_MAX ||
    !repository.split('/').every((segment) => PATH_SEGMENT.test(segment))
  ) {
    refuse(field, 'without a valid repository path (lower-case letters, digits, ._- and slashes)');
  }
  if (tag === undefined && digest === undefined) tag = 'latest';
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The full form, for example `docker.io/library/debian:stable@sha256:…`: one image, one text. */
export function formatImageReference(reference: ImageReference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

function splitRegistry(text: string, field: string): { registry: string; path: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost';
  if (slash < 0 || !isHost) return { registry: DEFAULT_REGISTRY, path: text };
  const colon = first.endsWith(']') ? -1 : first.lastIndexOf(':');
  const host = colon < 0 ? first : first.slice(0, colon);
  const port = colon < 0 ? undefined : first.slice(colon + 1);
  const portFits =
    port === undefined || (PORT.test(port) && Number(port) >= 1 && Number(port) <= 65_535);
  if (!portFits || !(HOST.test(host) || BRACKETED_IPV6.test(host))) {
    refuse(field, 'without a valid registry host');
  }
  const registry = first === 'index.docker.io' ? DEFAULT_REGISTRY : first;
  return { registry, path: text.slice(slash + 1) };
}

function refuse(field: string, what: string): never {
  throw teuError('INVALID_ID', `${field} is ${what}`, { metadata: { field } });
}
