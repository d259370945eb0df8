import { once } from 'node:events';
import { mkdtempSync, openSync, closeSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { kernelFeatures, supports } from '../ts/index.js';
import { peerCredentials } from '../ts/peercred.js';

it('tells who is at the other end of a socket', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'teu-p-'));
  const server = createServer().listen(join(directory, 's'));
  await once(server, 'listening');
  const client = createConnection(join(directory, 's'));
  const [socket] = (await once(server, 'connection')) as [Socket];
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  expect(peerCredentials(fd)).toEqual({
    pid: process.pid,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
  });
  client.destroy();
  socket.destroy();
  server.close();
  rmSync(directory, { recursive: true });
});

it('says what is wrong with a descriptor that is no socket', () => {
  const fd = openSync('/dev/null', 'r');
  expect(() => peerCredentials(fd)).toThrow(
    expect.objectContaining({ code: 'ENOTSOCK', step: 'peerCredentials', errno: -88 }),
  );
  closeSync(fd);
});

it('knows what the kernel can do', () => {
  const features = kernelFeatures();
  expect(Object.keys(features)).toContain('openat2');
  expect(supports('clone3')).toBe(true);
  expect(supports('mountApi')).toBe(true);
});
