import { tempDir } from '@teu/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { claimPool, isOwn, readClaim, transactionOf, type PoolClaim } from './pool-claim.js';
import type { PoolStatus, PoolVolume, ThinPool } from './thin-pool.js';

const CLAIM: PoolClaim = {
  pool: 'p',
  isInFiles: true,
  filesystem: 'ext4',
  baseBytes: 1,
  owner: 99,
  generation: 4,
};
const own = (generation: number): number => transactionOf({ ...CLAIM, generation });
const volume = (transaction: number): PoolVolume => ({ volume: 2, transaction, mappedBlocks: 1 });

/** Claims a pool with this transaction and these volumes. */
async function claim(transaction: number, volumes: PoolVolume[], known = CLAIM) {
  using directory = tempDir();
  const changes: number[][] = [];
  const pool = {
    volumes: async () => volumes,
    setTransaction: async (from: number, to: number) => {
      // The file is there before the pool is changed.
      changes.push([from, to, readClaim(directory.path)?.generation ?? 0]);
    },
  } as unknown as ThinPool;
  const status = { transaction } as PoolStatus;
  return { ...(await claimPool(directory.path, pool, status, known)), changes };
}

it('counts the starts, in the file and then in the pool', async () => {
  const claimed = await claim(own(4), [volume(own(1))]);
  expect(claimed).toMatchObject({ surprise: undefined, changes: [[own(4), own(5), 5]] });
  expect(claimed.claim).toEqual({ ...CLAIM, generation: 5 });
  expect(Number.isSafeInteger(transactionOf({ ...CLAIM, owner: 2 ** 28 - 1 }))).toBe(true);
  // A crash between file and pool.
  expect(await claim(own(3), [])).toMatchObject({
    surprise: undefined,
    changes: [[own(3), own(5), 5]],
  });
});

it('tells which of the two was put back', async () => {
  expect((await claim(own(2), [])).surprise).toMatch(/^the pool is older than the directory/);
  const ahead = await claim(own(9), []);
  expect(ahead.surprise).toMatch(/^the directory is older than the pool/);
  expect(ahead.claim.generation).toBe(10);
});

it('takes a pool of nobody only if it is empty', async () => {
  const fresh = { ...CLAIM, generation: 0 };
  expect(await claim(17, [], fresh)).toMatchObject({ surprise: undefined });
  expect((await claim(0, [])).surprise).toContain('it is empty');
  await expect(claim(17, [volume(3)], fresh)).rejects.toMatchObject({
    reason: 'DRIVER_UNSUPPORTED',
    message: expect.stringContaining('1 volumes of somebody else') as string,
  });
  await expect(claim(17, [volume(own(2))])).rejects.toThrow('set_transaction_id 17');
  expect(isOwn(CLAIM, volume(own(1)))).toBe(true);
  expect(isOwn(CLAIM, volume(own(1) + 2 ** 24))).toBe(false);
});

it('does not guess what a damaged file has said', () => {
  using directory = tempDir();
  expect(readClaim(directory.path)).toBeUndefined();
  const whole = { ...CLAIM };
  const texts = ['', '{', '[]', JSON.stringify({ ...whole, owner: -1 })];
  texts.push(
    JSON.stringify({ ...whole, filesystem: 'zfs' }),
    JSON.stringify({ ...whole, pool: 1 }),
  );
  for (const text of texts) {
    writeFileSync(join(directory.path, 'pool.json'), text);
    expect(() => readClaim(directory.path), text).toThrow('is damaged');
  }
  writeFileSync(join(directory.path, 'pool.json'), JSON.stringify(whole));
  expect(readClaim(directory.path)).toEqual(whole);
});
