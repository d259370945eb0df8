import { CgroupServiceService as Service, type Cgroup } from '@teu/proto/cgroup';
import { LinuxResources } from '@teu/proto/type';
import { tempDir, waitFor } from '@teu/testing';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { MEBIBYTE, type GroupProbe, type Wanted } from './group-probe.js';

const sized = (size: number, swap?: number): Wanted => ({
  memory: { limit: size * MEBIBYTE, swap: swap === undefined ? undefined : swap * MEBIBYTE },
});

/** Changes of limits that are in force. */
export function describeUpdates(probe: () => GroupProbe): void {
  it('changes limits in an order that the kernel takes', async () => {
    const { id } = await probe().create(sized(64));
    const memoryOf = async (wanted: Wanted) => (await probe().update(id, wanted)).resources?.memory;
    expect(await memoryOf(sized(512, 600))).toMatchObject({ limit: 512 * MEBIBYTE });
    expect(await memoryOf(sized(32, 40))).toMatchObject({ swap: 40 * MEBIBYTE });
    await expect(probe().update(id, sized(64))).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
    });
    const cpu = { quota: 5000, period: 10_000 };
    const changed = await probe().update(id, { cpu, memory: { limit: -1 }, pids: { limit: 3 } });
    expect(changed.resources?.memory).toBeUndefined();
    expect(changed.resources).toMatchObject({ cpu, pids: { limit: 3 } });
  });

  it('replaces all limits by others, as if it was made with them', async () => {
    const cgroup = await probe().create({
      cpu: { shares: 300, quota: 50_000, burst: 10_000, cpus: '0' },
      memory: { limit: 64 * MEBIBYTE, reservation: 32 * MEBIBYTE },
      pids: { limit: 9 },
      blockIo: { weight: 300 },
    });
    const wanted: Wanted = { memory: { limit: 32 * MEBIBYTE }, cpu: { shares: 400 } };
    const replaced = await probe().update(cgroup.id, wanted, true);
    const made = await probe().create(wanted);
    expect(replaced.resources).toEqual(made.resources);
    expect(await probe().update(cgroup.id, {}, true)).toMatchObject({
      resources: (await probe().create()).resources,
    });
  });

  it('refuses a memory limit below what is in use, kills nobody, and sets back the rest', async () => {
    const memory = { limit: 128 * MEBIBYTE, swap: 128 * MEBIBYTE };
    const cgroup = await probe().create({ memory, pids: { limit: 50 } });
    const holder = probe().run(
      cgroup,
      `exec ${process.execPath} -e 'const held = Buffer.alloc(64 << 20, 1); setInterval(() => held, 1000)'`,
    );
    const used = async () => (await probe().stats(cgroup.id)).memory?.usageBytes ?? 0;
    await waitFor(async () => (await used()) > 64 * MEBIBYTE);
    const small = { cpu: { shares: 2 }, memory: { limit: 8 * MEBIBYTE }, pids: { limit: 40 } };
    await expect(probe().update(cgroup.id, small)).rejects.toMatchObject({
      reason: 'INVALID_STATE',
    });
    expect((await probe().get(cgroup.id)).resources).toEqual(cgroup.resources);
    expect((await probe().stats(cgroup.id)).memory?.oomKillCount).toBe(0);
    await probe().kill(cgroup.id);
    expect((await holder.ended).signal).toBe('SIGKILL');
  });

  it('gives files that are named no more what a new group has', async () => {
    if (probe().versionOf('memory') === 1) return;
    const unified = { 'memory.oom.group': '1', 'memory.min': '1048576', 'cpu.idle': '1' };
    const cgroup = await probe().create({ cpu: { shares: 300 }, unified });
    const texts = () =>
      ['memory.oom.group', 'memory.min', 'cpu.idle'].map((file) =>
        readFileSync(`${probe().directory(cgroup, 'memory')}/${file}`, 'utf8').trim(),
      );
    // What it replaces is idle and stays so: it has no weight.
    const kept = { 'memory.min': '1048576', 'cpu.idle': '1' };
    await probe().update(cgroup.id, { cpu: { shares: 300 }, unified: kept }, true);
    expect(texts()).toEqual(['0', '1048576', '1']);
    const refused = probe().update(cgroup.id, { unified: { 'pids.max': 'few' } }, true);
    await expect(refused).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    expect(texts()).toEqual(['0', '1048576', '1']);
    await probe().update(cgroup.id, { pids: { limit: 7 } });
    expect(texts()).toEqual(['0', '1048576', '1']);
    await probe().update(cgroup.id, {}, true);
    expect(texts()).toEqual(['0', '0', '0']);
    const made = await probe().create();
    expect((await probe().get(cgroup.id)).resources).toEqual(made.resources);
  });

  it('answers others while it frees what a lower limit leaves no room for', async () => {
    const cgroup = await probe().create(sized(400));
    await fillWithCache(probe(), cgroup, 200);
    const order: string[] = [];
    const update = probe().update(cgroup.id, sized(8, 16));
    await Promise.all([
      update.then(() => order.push('update')),
      probe()
        .get(cgroup.id)
        .then(() => order.push('other')),
    ]);
    expect(order).toEqual(['other', 'update']);
    expect((await update).resources?.memory).toMatchObject({ limit: 8 * MEBIBYTE });
    expect((await probe().stats(cgroup.id)).memory?.usageBytes).toBeLessThanOrEqual(8 * MEBIBYTE);
  });

  it('stops freeing when nobody waits for it, and then has all as it was', async () => {
    const cgroup = await probe().create({ ...sized(400), pids: { limit: 9 } });
    await fillWithCache(probe(), cgroup, 200);
    const wanted = { ...sized(8, 16), pids: { limit: 8 } };
    const request = {
      id: cgroup.id,
      resources: LinuxResources.fromPartial(wanted),
      replace: false,
    };
    const abort = new AbortController();
    const { signal } = abort;
    const update = probe().service.channel.unary(Service.updateCgroup, request, { signal });
    await probe().get(cgroup.id);
    abort.abort();
    await expect(update).rejects.toMatchObject({ reason: 'CANCELLED' });
    // It comes after the one that was given up, which a quick machine may have done before it heard of that.
    await probe().update(cgroup.id, {});
    const { resources } = await probe().get(cgroup.id);
    const done = await probe().create(wanted);
    expect([cgroup.resources, done.resources]).toContainEqual(resources);
  });
}

/** Reads a file backwards, page by page: the kernel then has no large pages, which are freed in no time. */
const READ_BACKWARDS = `
  const { openSync, fstatSync, readSync } = require('node:fs');
  const file = openSync(process.argv[1]);
  for (let at = fstatSync(file).size - 4096; at >= 0; at -= 4096) readSync(file, Buffer.alloc(1), 0, 1, at);
`;

/** Has a group use memory that can be freed: pages of a file without content. */
async function fillWithCache(probe: GroupProbe, cgroup: Cgroup, mebibytes: number): Promise<void> {
  const directory = tempDir();
  onTestFinished(() => directory.remove());
  // A file system whose pages can be freed; those of tmpfs, which a directory like this may be of, cannot.
  const disk = join(directory.path, 'disk');
  const mounted = join(directory.path, 'mounted');
  writeFileSync(disk, '');
  truncateSync(disk, 16 * MEBIBYTE);
  mkdirSync(mounted);
  execFileSync('mkfs.ext4', ['-q', disk]);
  execFileSync('mount', ['-o', 'loop', disk, mounted]);
  onTestFinished(() => void execFileSync('umount', [mounted]));
  const file = join(mounted, 'file');
  writeFileSync(file, '');
  truncateSync(file, mebibytes * MEBIBYTE);
  const reader = probe.run(cgroup, `exec ${process.execPath} -e "${READ_BACKWARDS}" ${file}`);
  expect(await reader.ended).toMatchObject({ code: 0 });
  const { memory } = await probe.stats(cgroup.id);
  expect(memory?.usageBytes).toBeGreaterThan((mebibytes / 2) * MEBIBYTE);
}
