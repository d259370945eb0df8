import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Container, ContainerSpec, NetworkMode } from '@teu/proto/engine';
import { createContainerFiles, filesOwner } from './container-files.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'teu-files-'));
  mkdirSync(join(directory, 'etc'));
  writeFileSync(join(directory, 'etc/hosts'), '10.0.0.1 host\n');
  writeFileSync(join(directory, 'etc/resolv.conf'), 'nameserver 10.0.0.2\n');
});
afterEach(() => rmSync(directory, { recursive: true }));

const ownerOf = (spec: Parameters<typeof ContainerSpec.create>[0]) =>
  filesOwner(Container.create({ id: 'c1', spec: ContainerSpec.create(spec) }));

test('a container knows itself, and the names of the host if it shares its network', async () => {
  const files = createContainerFiles(join(directory, 'c'), join(directory, 'etc'));
  const mounts = files.write(ownerOf({ hostname: 'box' }));
  expect(mounts.map(({ destination }) => destination)).toEqual([
    '/etc/hostname',
    '/etc/hosts',
    '/etc/resolv.conf',
  ]);
  const [hostname = '', hosts = '', resolv = ''] = mounts.map(({ source }) => source);
  expect(readFileSync(hostname, 'utf8')).toBe('box\n');
  expect(readFileSync(hosts, 'utf8')).toMatch(/^127\.0\.0\.1\tlocalhost\n[^]*\tbox\n$/);
  expect(readFileSync(resolv, 'utf8')).toBe('nameserver 10.0.0.2\n');
  expect(statSync(hosts).mode & 0o777).toBe(0o644);
  files.write(ownerOf({ network: NetworkMode.NETWORK_MODE_HOST }));
  expect(readFileSync(hosts, 'utf8')).toBe('10.0.0.1 host\n');
  await files.remove('c1');
  expect(readdirSync(join(directory, 'c'))).toEqual([]);
  await files.remove('c1');
});

test('changes of the host are seen, and a missing file is an empty one', () => {
  const files = createContainerFiles(join(directory, 'c'), join(directory, 'etc'));
  files.write(ownerOf({}));
  rmSync(join(directory, 'etc/resolv.conf'));
  const resolv = files.write(ownerOf({}))[2]?.source ?? '';
  expect(readFileSync(resolv, 'utf8')).toBe('');
  writeFileSync(join(directory, 'etc/resolv.conf'), 'nameserver 10.0.0.3\n');
  files.write(ownerOf({}));
  expect(readFileSync(resolv, 'utf8')).toContain('10.0.0.3');
});
