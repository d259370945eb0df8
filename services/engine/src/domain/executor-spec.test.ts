import { expect, test } from 'vitest';
import { Container, ContainerSpec, ExecSpec, NetworkMode } from '@teu/proto/engine';
import { NamespaceType, SeccompProfile } from '@teu/proto/executor';
import { buildExecProcess, buildExecutorSpec } from './executor-spec.js';

const container = (spec: Parameters<typeof ContainerSpec.create>[0]) =>
  Container.create({
    id: 'ab'.repeat(32),
    spec: ContainerSpec.create({ args: ['x'], workingDir: '/w', user: 'app', ...spec }),
  });
const nothing = { rootMounts: [], membership: undefined, fileMounts: [] };
const kinds = (spec: ReturnType<typeof buildExecutorSpec>) =>
  spec.linux?.namespaces.map(({ type }) => type);

test('a container has every namespace of its own, and the host network only on request', () => {
  const own = kinds(buildExecutorSpec(container({}), nothing));
  expect(own).toHaveLength(7);
  const { NETWORK_MODE_HOST: network } = NetworkMode;
  const shared = kinds(buildExecutorSpec(container({ network }), nothing));
  expect(shared).toEqual(own?.filter((type) => type !== NamespaceType.NAMESPACE_TYPE_NETWORK));
});

test('nothing that protects is left out', () => {
  const { process, linux, hostname } = buildExecutorSpec(container({}), nothing);
  expect(linux?.seccomp?.profile).toBe(SeccompProfile.SECCOMP_PROFILE_DEFAULT);
  expect(linux?.maskedPaths).toContain('/proc/kcore');
  expect(linux?.readonlyPaths).toContain('/proc/sys');
  expect(process?.capabilities?.bounding).toHaveLength(14);
  expect(process?.capabilities?.inheritable).toEqual([]);
  expect(process?.capabilities?.ambient).toEqual([]);
  expect(process?.user?.username).toBe('app');
  expect(hostname).toBe('ababababab'.concat('ab'));
});

test('cgroup file systems are mounted read-only where programs look for them', () => {
  const membership = {
    v1TasksPaths: ['/t'],
    v2Directory: '/d',
    mounts: [
      { name: 'cpu,cpuacct', type: 'cgroup', data: 'cpu,cpuacct' },
      { name: '', type: 'cgroup2', data: '' },
    ],
  };
  const { linux } = buildExecutorSpec(container({}), { ...nothing, membership });
  expect(linux?.cgroups?.mounts.map(({ destination }) => destination)).toEqual([
    '/sys/fs/cgroup/cpu,cpuacct',
    '/sys/fs/cgroup',
  ]);
  for (const { options } of linux?.cgroups?.mounts ?? []) expect(options).toContain('ro');
});

test('another program is like the first one where nobody says otherwise', () => {
  const exec = ExecSpec.create({ args: ['sh'], env: ['A=2'] });
  const process = buildExecProcess(container({ env: ['A=1', 'B=1'] }), exec);
  expect(process).toMatchObject({ cwd: '/w', user: { username: 'app' }, args: ['sh'] });
  expect(process.env.slice(-2)).toEqual(['A=2', 'B=1']);
});
