import { expect, it } from 'vitest';
import { isOwnHost, parseMetricsAddress } from './metrics-address.js';

it.each([
  ['127.0.0.1:9323', '127.0.0.1', 9323],
  ['127.1.2.3:0', '127.1.2.3', 0],
  ['[::1]:65535', '::1', 65_535],
  ['localhost:80', '127.0.0.1', 80],
])('%s is on this host', (text, host, port) => {
  expect(parseMetricsAddress(text)).toEqual({ host, port });
});

it.each(['0.0.0.0:9323', '[::]:9323', '192.168.0.1:9323', '[::ffff:127.0.0.1]:1', '128.0.0.1:1'])(
  '%s is refused, since anybody could read it',
  (text) => {
    expect(() => parseMetricsAddress(text)).toThrow(/there is no authentication/);
  },
);

it.each(['9323', '127.0.0.1', '127.0.0.1:65536', '127.0.0.1:', ':9323', 'a b:1', '127.0.0.1:1/x'])(
  '%j is no address',
  (text) => {
    expect(() => parseMetricsAddress(text)).toThrow(/host:port/);
  },
);

it('a name that somebody lets lead here is not of this server', () => {
  const where = { host: '127.1.2.3', port: 9323 };
  for (const own of ['127.1.2.3:9323', 'LocalHost', '[::1]:1', '127.0.0.1:9323']) {
    expect(isOwnHost(own, where)).toBe(true);
  }
  for (const other of [
    'rebound.example:9323',
    'localhost.example',
    '127.0.0.1.example',
    '',
    undefined,
  ]) {
    expect(isOwnHost(other, where)).toBe(false);
  }
});
