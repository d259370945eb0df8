import type { ServerResponse } from 'node:http';
import { startStub, type SeenRequest, type StubRegistry } from '@teu/registry/testing';
import { digestOf } from '../domain/digest.js';
import { OCI_MANIFEST } from '../domain/media-types.js';
import type { ArchiveFiles } from './make-image.js';

/** Takes a request away from the stub by not returning false. */
export type StubHook = (request: SeenRequest, response: ServerResponse) => unknown;

/** A stub that has an image, and may be told to misbehave. */
export interface StubImage extends StubRegistry {
  /** Digests of what was asked for below blobs/, in order. */
  blobsSeen(): string[];
}

/** Serves the one image of a layout, under any name. */
export async function startStubImage(
  files: ArchiveFiles,
  hook: StubHook = () => false,
): Promise<StubImage> {
  const index = JSON.parse(String(files['index.json'])) as {
    manifests: { digest: string; mediaType: string }[];
  };
  const [top] = index.manifests;
  const stub = await startStub((request, response) => {
    if (hook(request, response) !== false || response.headersSent) return true;
    const [, kind, reference = ''] = /\/(manifests|blobs)\/([^?]+)/.exec(request.url) ?? [];
    const isTag = kind === 'manifests' && !reference.startsWith('sha256:');
    const digest = isTag ? (top?.digest ?? '') : reference;
    const bytes = files[`blobs/${digest.replace(':', '/')}`];
    if (bytes === undefined) return false;
    const type = kind === 'manifests' ? manifestType(bytes) : 'application/octet-stream';
    return serveBytes(request, response, bytes, type);
  });
  return {
    ...stub,
    blobsSeen: () => stub.seen.flatMap(({ url }) => /\/blobs\/(sha256:\w+)/.exec(url)?.[1] ?? []),
  };
}

/** As a good registry serves a document or a blob. */
export function serveBytes(
  { method, range }: SeenRequest,
  response: ServerResponse,
  bytes: Buffer,
  type = 'application/octet-stream',
): unknown {
  const from = Number(/=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
  response.writeHead(from > 0 ? 206 : 200, {
    'content-type': type,
    'content-length': bytes.length - from,
    'docker-content-digest': digestOf(bytes),
    ...(from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
  });
  return response.end(method === 'HEAD' ? undefined : bytes.subarray(from));
}

function manifestType(bytes: Buffer): string {
  const { mediaType } = JSON.parse(bytes.toString()) as { mediaType?: string };
  return mediaType ?? OCI_MANIFEST;
}
