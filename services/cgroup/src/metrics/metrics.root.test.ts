import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { checkExposition, requires, waitFor } from '@teu/testing';
import { CgroupServiceService, GroupServiceService, type Cgroup } from '@teu/proto/cgroup';
import { LinuxResources } from '@teu/proto/type';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInGroup } from '../testing/run-in-group.js';
import { newRun, UsageCalls } from '../testing/usage-calls.js';
import { startService, type StartedService } from '../testing/start-service.js';

describe.runIf(requires('root'))('metrics of the service', () => {
  let service: StartedService;
  let cgroup: Cgroup;
  let calls: UsageCalls;
  beforeAll(async () => {
    service = await startService(undefined, ['--metrics-address', '127.0.0.1:0']);
    await service.channel.unary(GroupServiceService.createGroup, {
      ...{ name: 'team', labels: {}, resources: undefined },
    });
    cgroup = await service.create(LinuxResources.fromPartial({ pids: { limit: 9 } }));
    calls = new UsageCalls(service.channel);
    await calls.begin(newRun(cgroup.id, { name: 'web', image: 'busybox' }));
  });
  afterAll(async () => {
    await service.close();
  });

  const ask = async (
    path: string,
    options: { method?: string; headers?: Record<string, string> } = {},
  ) => {
    const [host = '', port = ''] = (service.metricsAddress ?? '').split(':');
    const sent = request({ host, port, path, ...options }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, text: await text(response) };
  };
  const label = (id = cgroup.id) => `container_id="${id}",name="web",image="busybox",group=""`;

  it('are in the text format of Prometheus, of containers, groups and the service itself', async () => {
    const { status, headers, text: body } = await ask('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const samples = checkExposition(body);
    expect(samples.get(`teu_container_pids_limit{${label()}}`)).toBe(9);
    expect(samples.get(`teu_container_pids{${label()}}`)).toBe(0);
    expect(samples.get(`teu_container_cpu_seconds_total{${label()},mode="user"}`)).toBe(0);
    expect(samples.get('teu_group_pids{group="team"}')).toBe(0);
    expect(samples.get('teu_containers')).toBe(1);
    expect(samples.get('teu_cgroup_open_files')).toBeGreaterThan(0);
    expect(samples.has(`teu_container_memory_limit_bytes{${label()}}`)).toBe(false);
  });

  it('count in base units', async () => {
    const membership = cgroup.membership!;
    const { ended } = runInGroup(membership, 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done');
    await ended;
    await waitFor(async () => {
      const samples = checkExposition((await ask('/metrics')).text);
      const used = samples.get(`teu_container_cpu_usage_seconds_total{${label()}}`) ?? 0;
      return used > 0.01 && used < 60;
    });
  });

  it('have a container with the same labels from its first appearance to its last', async () => {
    const { id } = await service.create();
    const seriesOf = async () => {
      const { text: body } = await ask('/metrics');
      return [...checkExposition(body).keys()].filter((series) => series.includes(id));
    };
    // Read without a name right before it has one, as others share it for half a second.
    expect(await seriesOf()).toEqual([]);
    const run = newRun(id, { name: 'web', image: 'busybox' });
    await calls.begin(run);
    const shown = await seriesOf();
    expect(shown.length).toBeGreaterThan(10);
    expect(shown.filter((series) => !series.includes(label(id)))).toEqual([]);
    await calls.end(run);
    expect(await seriesOf()).toEqual([]);
  });

  it('close the files of a container that is removed', async () => {
    const count = async () =>
      checkExposition((await ask('/metrics')).text).get('teu_cgroup_open_files') ?? 0;
    const before = await count();
    const { id } = await service.create();
    expect(await count()).toBeGreaterThan(before);
    await service.channel.unary(CgroupServiceService.deleteCgroup, {
      ...{ id, force: false, run: undefined },
    });
    expect(await count()).toBe(before);
  });

  it('are nothing but that', async () => {
    expect((await ask('/')).status).toBe(404);
    expect((await ask('/metrics/../etc')).status).toBe(404);
    const posted = await ask('/metrics', { method: 'POST' });
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect(await ask('/metrics', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    const rebound = await ask('/metrics', { headers: { Host: 'rebound.example' } });
    expect(rebound.status).toBe(403);
    expect(rebound.text).not.toContain('teu_');
    expect((await ask('/metrics', { headers: { 'X-Long': 'x'.repeat(9000) } })).status).toBe(431);
  });

  it('survive connections that say nothing or nonsense', async () => {
    const [host = '', port = ''] = (service.metricsAddress ?? '').split(':');
    const silent = Array.from({ length: 10 }, () => connect(Number(port), host));
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    const nonsense = connect(Number(port), host);
    nonsense.end('\0\x01 nothing of HTTP\r\n\r\n');
    expect(await text(nonsense)).toContain('400 Bad Request');
    expect((await ask('/metrics')).status).toBe(200);
    for (const socket of silent) socket.destroy();
  });
});
