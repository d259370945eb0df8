import { isTeuError } from '@teu/errors';
import type { Endpoint } from './endpoint.js';
import { readAtMost } from './read-body.js';
import { connectionError, registryError } from './registry-error.js';

/** Some tags of a repository. */
export interface TagPage {
  tags: string[];
  /** Whether there are more after the last. */
  hasMore: boolean;
}

/** What refers to a digest: an index as it came, or several pages of one. */
export interface ReferrersAnswer {
  /** Descriptors, not checked. */
  manifests: unknown[];
}

interface Target {
  name: string;
  scope(actions: 'pull'): string;
}

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const REFERRERS_MAX = 10_000;
const PAGES_MAX = 100;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

/** Reads a page of tags. What is no tag is left out. */
export async function listTags(
  endpoint: Endpoint,
  target: Target,
  count: number,
  after: string,
  signal: AbortSignal,
): Promise<TagPage> {
  const query = new URLSearchParams({ n: String(count), ...(after === '' ? {} : { last: after }) });
  const path = `/v2/${target.name}/tags/list?${query.toString()}`;
  const answer = await readJson(endpoint, target, path, 'listing tags', signal);
  const list: unknown = answer?.document['tags'] ?? [];
  const all = (Array.isArray(list) ? list : []).filter(
    (tag): tag is string => typeof tag === 'string' && TAG.test(tag),
  );
  // A registry that does not page gives all of them each time, in any order: then the order and the pages are ours.
  const rest = all.length > count ? all.toSorted().filter((tag) => tag > after) : all;
  const tags = rest.slice(0, count);
  const hasMore = rest.length > count || (answer?.next !== undefined && tags.length > 0);
  return { tags, hasMore };
}

/** Reads what refers to a digest, from the API or else from the tag that stands in for it. */
export async function listReferrers(
  endpoint: Endpoint,
  target: Target,
  digest: string,
  artifactType: string,
  signal: AbortSignal,
): Promise<ReferrersAnswer> {
  const query = artifactType === '' ? '' : `?${new URLSearchParams({ artifactType }).toString()}`;
  const manifests: unknown[] = [];
  let next: string | undefined = `/v2/${target.name}/referrers/${digest}${query}`;
  for (let page = 0; next !== undefined && page < PAGES_MAX; page += 1) {
    const answer = await readReferrers(endpoint, target, next, signal);
    if (answer === undefined) {
      if (page > 0) break;
      return fallback(endpoint, target, digest, signal);
    }
    manifests.push(...indexEntries(answer.document));
    if (manifests.length >= REFERRERS_MAX) break;
    next = answer.next;
  }
  return { manifests: manifests.slice(0, REFERRERS_MAX) };
}

/** Undefined if the registry does not have this API: some say so by other words than "not found". */
async function readReferrers(
  endpoint: Endpoint,
  target: Target,
  path: string,
  signal: AbortSignal,
): Promise<JsonAnswer | undefined> {
  try {
    const answer = await readJson(endpoint, target, path, 'listing referrers', signal);
    return answer?.mediaType === INDEX_TYPE ? answer : undefined;
  } catch (error) {
    if (isTeuError(error, 'REGISTRY_FAILED') && error.metadata['http_status'] !== undefined) {
      return undefined;
    }
    throw error;
  }
}

async function fallback(
  endpoint: Endpoint,
  target: Target,
  digest: string,
  signal: AbortSignal,
): Promise<ReferrersAnswer> {
  const path = `/v2/${target.name}/manifests/${digest.replace(':', '-')}`;
  const answer = await readJson(endpoint, target, path, 'listing referrers', signal);
  return { manifests: indexEntries(answer?.document ?? {}).slice(0, REFERRERS_MAX) };
}

function indexEntries(document: Readonly<Record<string, unknown>>): unknown[] {
  const list = document['manifests'];
  return Array.isArray(list) ? list : [];
}

interface JsonAnswer {
  document: Readonly<Record<string, unknown>>;
  mediaType: string;
  /** Path of the next page. */
  next: string | undefined;
}

/** Reads a document of at most 4 MiB; undefined if it is not there. */
async function readJson(
  endpoint: Endpoint,
  target: Target,
  path: string,
  step: string,
  signal: AbortSignal,
): Promise<JsonAnswer | undefined> {
  const where = endpoint.where(target.name, step);
  const response = await endpoint.send({
    method: 'GET',
    target: path,
    headers: { accept: `${INDEX_TYPE}, application/json`, 'accept-encoding': 'identity' },
    ...{ repository: target.name, scopes: [target.scope('pull')], step, signal },
    expected: [200, ...(path.includes('/tags/list') ? [] : [404])],
  });
  if (response.status === 404) {
    response.body.destroy();
    return undefined;
  }
  try {
    const bytes = await readAtMost(response, ANSWER_BYTES_MAX, endpoint.patience.stallMs);
    if (bytes === 'too long') {
      throw registryError('REGISTRY_FAILED', where, `its answer exceeds ${ANSWER_BYTES_MAX} bytes`);
    }
    const document: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof document !== 'object' || document === null) throw new SyntaxError('no object');
    return {
      document: document as Record<string, unknown>,
      mediaType: (response.headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '',
      next: nextPage(response.headers['link'], response.url),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SyntaxError) {
      throw registryError('REGISTRY_FAILED', where, 'its answer is not JSON', { cause: error });
    }
    throw connectionError(where, error);
  }
}

/** Path and query of the next page (RFC 8288); of the same host, whatever the link says. */
function nextPage(link: string | string[] | undefined, from: URL): string | undefined {
  const text = Array.isArray(link) ? link.join(', ') : (link ?? '');
  const found = /<([^>]{1,2048})>\s*;[^,]*rel="?next"?/.exec(text)?.[1];
  if (found === undefined || !URL.canParse(found, from.href)) return undefined;
  const url = new URL(found, from);
  return url.pathname.startsWith('/v2/') ? `${url.pathname}${url.search}` : undefined;
}
