import { tempDir } from '@teu/testing';
import { existsSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkDeviceMapperHost, openDeviceMapperDriver } from './open-devicemapper-driver.js';

const refusal = (text: RegExp): object => ({
  reason: 'DRIVER_UNSUPPORTED',
  message: expect.stringMatching(text) as string,
});

it('is not chosen without a pool, says why, and leaves nothing behind', async () => {
  using directory = tempDir();
  const why = existsSync('/dev/mapper/control') ? /thin pool/ : /no \/dev\/mapper\/control/;
  await expect(checkDeviceMapperHost(directory.path)).rejects.toMatchObject(refusal(why));
  expect(readdirSync(directory.path)).toEqual([]);
});

it('refuses what is no pool, and a base that is too small', async () => {
  using directory = tempDir();
  const open = (options: Parameters<typeof openDeviceMapperDriver>[1]) =>
    openDeviceMapperDriver(directory.path, options);
  for (const dmPool of ['', '../x', 'a b', '.a', 'a'.repeat(101)]) {
    await expect(open({ dmPool })).rejects.toMatchObject(refusal(/is no name of a thin pool/));
  }
  await expect(open({ dmBaseSize: 1 << 20 })).rejects.toMatchObject(
    refusal(/wants 67108864 bytes/),
  );
});
