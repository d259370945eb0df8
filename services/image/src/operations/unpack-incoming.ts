import { isTeuError } from '@teu/errors';
import { LoadStep } from '@teu/proto/image';
import type { SourceLayer } from '../archive/image-source.js';
import { requireDigest } from '../domain/digest.js';
import type { LayerDriver } from '../layers/layer-driver.js';
import type { UnpackedLayer, UnpackRequest } from '../layers/unpacker.js';
import type { Incoming } from '../registry/downloads.js';
import type { ImageParts } from './image-parts.js';
import type { LayerPlace } from './load-layer.js';
import type { LoadScope, StoredBlob } from './load-scope.js';

/**
 * Unpacks a layer while it comes from a registry. Its file is whole and verified when this returns, and stays where it
 * is until all of the image is there.
 */
export async function unpackIncoming(
  parts: Pick<ImageParts, 'unpacker' | 'worker'>,
  scope: Pick<LoadScope, 'pin' | 'signal' | 'report'>,
  driver: LayerDriver,
  source: SourceLayer,
  begin: () => Promise<Incoming>,
  { parent, below }: LayerPlace,
): Promise<{ layer: UnpackedLayer; blob: StoredBlob }> {
  const { digest = '', diffId = '', mediaType = '', size = 0 } = source;
  const incoming = await begin();
  const request = {
    ...{ driver, parent, below, diffId },
    pin: (chainId: string) => scope.pin(chainId),
  };
  const apply = applyIncoming(parts, scope, source, incoming);
  const layer = await unpackOnTheWay(parts, scope, { ...request, apply: apply(true) }, incoming);
  await incoming.done;
  const finished = layer ?? (await parts.unpacker.ensure({ ...request, apply: apply(false) }));
  scope.report(LoadStep.LOAD_STEP_UNPACK, digest, size, size);
  return { layer: finished, blob: { diffId, digest, mediaType, blobBytes: size } };
}

/** Undefined if the download began anew meanwhile: then the layer is unpacked when it is there. */
async function unpackOnTheWay(
  { unpacker }: Pick<ImageParts, 'unpacker'>,
  { signal }: Pick<LoadScope, 'signal'>,
  request: UnpackRequest,
  { done, growth, isRestarted }: Incoming,
): Promise<UnpackedLayer | undefined> {
  if (isRestarted()) return undefined;
  try {
    return await unpacker.ensure(request);
  } catch (error) {
    signal.throwIfAborted();
    if (!growth.aborted.aborted && !isTeuError(error, 'BLOB_BROKEN_OFF')) throw error;
    // The bytes did not come: why, is what is to be told.
    await done;
    if (isRestarted()) return undefined;
    throw error;
  }
}

function applyIncoming(
  { worker }: Pick<ImageParts, 'worker'>,
  { signal }: Pick<LoadScope, 'signal'>,
  { digest = '', size = 0, compression }: SourceLayer,
  incoming: Incoming,
): (isGrowing: boolean) => UnpackRequest['apply'] {
  return (isGrowing) => async (mounts, standalone) => {
    const file = await incoming.open();
    try {
      const report = await worker.apply({
        blob: { file, offset: 0, size },
        ...(isGrowing ? { growth: incoming.growth } : {}),
        ...{ compression, mounts, signal, standalone },
      });
      requireDigest('a layer', digest, report.digest);
      return report;
    } finally {
      await file.close();
    }
  };
}
