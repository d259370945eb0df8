import { DamageKind } from '@teu/proto/image';
import { describe, expect, it } from 'vitest';
import { createKeyedMutex } from '../../domain/keyed-mutex.js';
import type { LayerDriver } from '../../layers/layer-driver.js';
import type { ImageParts } from '../image-parts.js';
import type { VerifyScope } from './verify-images.js';
import { verifyLayers } from './verify-layers.js';
import { VerifyTally } from './verify-tally.js';

const CHAIN_ID = `sha256:${'1'.repeat(64)}`;

/** One image with one layer, recorded in one driver, which may have it or not. */
function storeOf(state: { isCommitted: boolean; isRecorded: boolean }) {
  const driver: Partial<LayerDriver> = {
    name: 'overlay2',
    canCheck: () => Promise.resolve(true),
    hasCommitted: () => Promise.resolve(state.isCommitted),
    check: () => Promise.resolve({ findings: [], isMissing: false, bytes: 0 }),
  };
  const image = {
    id: 'sha256:i',
    names: ['one'],
    layers: [{ chainId: CHAIN_ID, diffId: 'sha256:d' }],
  };
  const layerMutex = createKeyedMutex();
  const parts = {
    layerMutex,
    damage: { find: () => undefined },
    drivers: { find: () => driver },
    images: { byId: () => image, usersOf: () => [image.id] },
    snapshots: {
      drivers: () => ['overlay2'],
      find: () => (state.isRecorded ? { chainId: CHAIN_ID } : undefined),
    },
  } as unknown as ImageParts;
  const verify = async () => {
    const scope: VerifyScope = {
      requestId: 'r',
      signal: new AbortController().signal,
      idle: false,
      imageIds: [image.id],
      isAll: true,
      readData: false,
      repair: false,
      tally: new VerifyTally(1),
    };
    const findings = await Array.fromAsync(verifyLayers(parts, scope, []));
    return findings.filter((damage) => damage !== undefined);
  };
  return {
    verify,
    alone: (work: () => Promise<void>) => layerMutex.run(`overlay2 ${CHAIN_ID}`, work),
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a layer that is recorded and not in its driver', () => {
  it('is lost if nobody is about to bring it', async () => {
    const damages = await storeOf({ isCommitted: false, isRecorded: true }).verify();
    expect(damages.map(({ kind }) => kind)).toEqual([DamageKind.DAMAGE_KIND_LAYER_MISSING]);
  });

  it('is whole once its commit, which was recorded before, is done', async () => {
    const state = { isCommitted: false, isRecorded: true };
    const { verify, alone } = storeOf(state);
    const commit = alone(async () => {
      await turn();
      state.isCommitted = true;
    });
    expect(await verify()).toEqual([]);
    await commit;
  });

  it('is nothing to tell of once its removal is through', async () => {
    const state = { isCommitted: false, isRecorded: true };
    const { verify, alone } = storeOf(state);
    const removal = alone(async () => {
      await turn();
      state.isRecorded = false;
    });
    expect(await verify()).toEqual([]);
    await removal;
  });
});
