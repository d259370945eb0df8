import { expect, test } from 'vitest';
import { kindOfAddress, maySendTo } from './address-kind.js';
import { parseRegistriesFile } from './registry-settings.js';
import { retryAfterMs } from './retry.js';

test.each([
  ['127.1.2.3', 'loopback'],
  ['::1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['169.254.169.254', 'link-local'],
  ['fe80::1', 'link-local'],
  ['10.0.0.1', 'private'],
  ['172.31.0.1', 'private'],
  ['172.32.0.1', 'public'],
  ['192.168.1.1', 'private'],
  ['::ffff:10.0.0.1', 'private'],
  ['fd00::1', 'private'],
  ['0.0.0.0', 'unusable'],
  ['255.255.255.255', 'unusable'],
  ['8.8.8.8', 'public'],
  ['2001:4860:4860::8888', 'public'],
])('%s is %s', (address, kind) => {
  expect(kindOfAddress(address)).toBe(kind);
  expect(maySendTo(address, '8.8.8.8')).toBe(kind === 'public');
});

test.each([
  ['{', 'is not JSON'],
  ['[]', 'is no object'],
  ['{"registry":{}}', 'unknown member'],
  ['{"registries":{"a":{"mirror":[]}}}', 'unknown member'],
  ['{"registries":{"https://a":{}}}', 'no host'],
  ['{"registries":{"a":{"insecure":"yes"}}}', 'no boolean'],
  ['{"registries":{"a":{"mirrors":["http://b"]}}}', 'no list of hosts'],
  ['{"registries":{"a":{"ca":"relative"}}}', 'no absolute path'],
  ['{"registries":{"a":{"clientKey":"/k"}}}', 'belong together'],
])('registries.json may not be %s', (text, wrong) => {
  expect(() => parseRegistriesFile(text)).toThrow(wrong);
});

test('Retry-After is seconds or a date', () => {
  expect(retryAfterMs('7')).toBe(7000);
  expect(retryAfterMs('Thu, 01 Jan 1970 00:00:00 GMT')).toBe(0);
  expect(retryAfterMs('soon')).toBeUndefined();
});
