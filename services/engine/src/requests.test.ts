import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeHost } from './testing/index.js';

let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.start();
});
afterEach(() => host.close());

test('a repeated request gets the first answer and does nothing', async () => {
  const requestId = randomUUID();
  const one = await host.client.create(['sleep'], {}, requestId);
  expect(await host.client.create(['sleep'], {}, requestId)).toEqual(one);
  await host.stopEngine();
  await host.startEngine();
  expect(await host.client.create(['sleep'], {}, requestId)).toEqual(one);
  expect(host.driver.prepares).toBe(1);
});

test('requests that come at the same time are one', async () => {
  const requestId = randomUUID();
  const run = () => host.client.run(['true'], { autoRemove: true }, { wait: true, requestId });
  const answers = await Promise.all([run(), run(), run()]);
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  expect(answers.every(({ exit }) => exit?.exitCode === 0)).toBe(true);
});

test('the exit of what ran and removed itself can still be had', async () => {
  const requestId = randomUUID();
  const ask = () => host.client.run(['exit', '9'], { autoRemove: true }, { wait: true, requestId });
  const one = await ask();
  await host.stopEngine();
  await host.startEngine();
  expect((await ask()).exit).toEqual(one.exit);
});

test('an id is for one request only', async () => {
  const requestId = randomUUID();
  await host.client.create(['sleep'], {}, requestId);
  const other = host.client.create(['sleep', '2'], {}, requestId);
  await expect(other).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  const noUuid = host.client.create(['sleep'], {}, 'x');
  await expect(noUuid).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
});

test('a request that failed is done anew', async () => {
  const requestId = randomUUID();
  const ask = () => host.client.run(['true'], {}, { wait: true, requestId });
  await host.stopFake('overlay2');
  await expect(ask()).rejects.toMatchObject({ reason: 'DRIVER_UNAVAILABLE' });
  await host.startFake('overlay2');
  expect((await ask()).exit?.exitCode).toBe(0);
});
