import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectSocket, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HealthCheckResponse_ServingStatus, HealthService } from '@teu/proto/grpc';
import { checkHealth, connect } from './index.js';
import { callKinds, EchoService, startEcho, until } from './test/echo.js';

describe('the socket of a server', () => {
  test('is 0600, in a directory that is made 0700', async () => {
    await using echo = await startEcho();
    const path = join(echo.directory, 'run', 'second.sock');
    await using second = await startEcho({}, { address: `unix:${path}` });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(echo.directory, 'run')).mode & 0o777).toBe(0o700);
    await second.server.close(0);
    expect(existsSync(path)).toBe(false);
  });

  test('is not taken from a server that answers', async () => {
    await using echo = await startEcho();
    await expect(startEcho({}, { address: echo.address })).rejects.toMatchObject({
      reason: 'ALREADY_EXISTS',
    });
    expect(await callKinds.unary(echo.channel, 'x')).toEqual(['x']);
  });

  test('replaces one that a dead server left', async () => {
    await using echo = await startEcho();
    const path = join(echo.directory, 'stale.sock');
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(path, resolve));
    // Closing unlinks the path; a file in its place stands for what a killed server leaves.
    await new Promise((resolve) => dead.close(resolve));
    writeFileSync(path, '');
    await using second = await startEcho({}, { address: `unix:${path}` });
    const channel = connect(second.address);
    expect(await callKinds.unary(channel, 'x')).toEqual(['x']);
    channel.close();
  });

  test('is refused in a directory that others can write', async () => {
    await using echo = await startEcho();
    const open = join(echo.directory, 'open');
    mkdirSync(open, { mode: 0o777 });
    chmodSync(open, 0o777);
    await expect(startEcho({}, { address: `unix:${open}/s.sock` })).rejects.toMatchObject({
      reason: 'PERMISSION_DENIED',
    });
  });

  test('with a path that is too long is refused', async () => {
    await expect(startEcho({}, { address: `unix:/tmp/${'x'.repeat(120)}` })).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
    });
  });

  test('is not replaced by TCP without TLS', async () => {
    await expect(startEcho({}, { address: '127.0.0.1:0' })).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
    });
  });
});

describe('a server', () => {
  test('survives bytes that are no HTTP/2, and no gRPC', async () => {
    await using echo = await startEcho();
    const path = echo.address.slice('unix:'.length);
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    const garbage = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(100_000, 0xff),
      Buffer.from(`${preface}${'\xff'.repeat(1000)}`, 'latin1'),
      // A HEADERS frame whose header block is nonsense.
      Buffer.concat([
        Buffer.from(preface),
        Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
        Buffer.from([0, 0, 4, 1, 5, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]),
      ]),
    ];
    for (const bytes of garbage) {
      await new Promise<void>((resolve) => {
        const socket = connectSocket(path, () => socket.end(bytes));
        socket.resume();
        socket.on('error', () => undefined);
        socket.on('close', () => resolve());
        socket.setTimeout(500, () => socket.destroy());
      });
    }
    expect(await callKinds.unary(echo.channel, 'still here')).toEqual(['still here']);
  });

  test('tells its health, also of each service, and to watchers', async () => {
    await using echo = await startEcho();
    const { channel } = echo;
    expect(await checkHealth(channel)).toBe('SERVING');
    expect(await checkHealth(channel, 'teu.test.v1.EchoService')).toBe('SERVING');
    await expect(checkHealth(channel, 'nobody')).rejects.toMatchObject({ reason: 'NOT_FOUND' });
    const seen: unknown[] = [];
    const watching = (async () => {
      for await (const { status } of channel.serverStream(HealthService.watch, { service: '' })) {
        seen.push(status);
      }
    })();
    await until(() => seen.length === 1);
    echo.server.setServing(false);
    await until(() => seen.length === 2);
    expect(seen).toEqual([
      HealthCheckResponse_ServingStatus.SERVING,
      HealthCheckResponse_ServingStatus.NOT_SERVING,
    ]);
    // An open watch does not hold a stop up.
    const begin = performance.now();
    await echo.server.close(10_000);
    await watching;
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  test('lets running calls finish when it stops, and cuts them off after the grace time', async () => {
    let release: (() => void) | undefined;
    const echo = await startEcho({
      one: async (note) => {
        await new Promise<void>((resolve) => (release = resolve));
        return note;
      },
    });
    const running = echo.channel.unary(EchoService.one, { text: 'last' });
    await until(() => release !== undefined);
    const closing = echo.server.close(5_000);
    release?.();
    expect(await running).toEqual({ text: 'last' });
    await closing;

    await using stuck = await startEcho({ one: () => new Promise(() => undefined) });
    const cut = stuck.channel.unary(EchoService.one, { text: '' }).catch((error: unknown) => error);
    await checkHealth(stuck.channel);
    await stuck.server.close(20);
    expect(await cut).toMatchObject({
      reason: expect.stringMatching(/UNAVAILABLE|CANCELLED/) as string,
    });
    await echo[Symbol.asyncDispose]();
  });
});
