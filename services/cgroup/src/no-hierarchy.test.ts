import { HierarchyMode } from '@teu/proto/cgroup';
import { describe, expect, it } from 'vitest';
import { startService } from './testing/start-service.js';

describe('a host without cgroups', () => {
  it('is told at the start, and nothing is served', async () => {
    const host = { mode: HierarchyMode.HIERARCHY_MODE_UNSPECIFIED, hierarchies: [] };
    await expect(startService(host)).rejects.toMatchObject({
      reason: 'CGROUP_UNAVAILABLE',
      message: expect.stringContaining('no cgroup hierarchy') as string,
    });
  });
});
