import { randomBytes } from 'node:crypto';
import { isTeuError } from '@teu/errors';
import { requires, runProgram } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { makeTar } from './testing/make-tar.js';

const DISK = 'size=24m';
const BIG = randomBytes(16 * 2 ** 20);

let stand: ImageStand;

beforeEach(async () => {
  requires('root', 'overlayfs');
  stand = await startImageStand();
});

afterEach(async () => {
  await stand.stop();
});

describe('a full disk', () => {
  it('refuses a load, keeps what was there, and takes the next one that fits', async () => {
    const staging = `${stand.dataDir}/image/staging`;
    const mounted = await runProgram('mount', ['-t', 'tmpfs', '-o', DISK, 'tmpfs', staging]);
    expect(mounted.code).toBe(0);
    const big = stand.file(
      'big',
      makeTar({ name: 'usr/a', data: BIG }, { name: 'usr/b', data: BIG }),
    );
    await expect(stand.load({ path: big, reference: 'big' })).rejects.toSatisfy((error) =>
      isTeuError(error, 'STORAGE_FULL'),
    );
    expect([await stand.list(), await stand.snapshots(), stand.stored()]).toEqual([
      [],
      [],
      { blobs: [], staging: [] },
    ]);
    await runProgram('umount', [staging]);
    const fits = stand.file('fits', makeTar({ name: 'usr/a', data: 'a' }));
    expect(await stand.load({ path: fits, reference: 'fits' })).toHaveLength(1);
  });
});
