import { loadConfig } from '@teu/config';
import { newContainerId } from '@teu/ids';
import { silentLogger } from '@teu/log';
import { CgroupServiceService as Service } from '@teu/proto/cgroup';
import { CgroupAction, Event, type CgroupEvent } from '@teu/proto/event';
import { LinuxResources, OomLimit, OomScope } from '@teu/proto/type';
import { connect } from '@teu/rpc';
import { openStore } from '@teu/state';
import { requires, tempDir, waitFor } from '@teu/testing';
import { it, expect } from 'vitest';
it('x', async () => {
  const { startService } = await import('../testing/start-service.js');
  const s = await startService();
  try {
    const memory = { limit: 16 << 20, swap: 16 << 20 };
    const cgroup = await s.create(LinuxResources.fromPartial({ memory, pids: { limit: 20 } }));
    const { runInGroup } = await import('../testing/run-in-group.js');
    const t0 = performance.now();
    await runInGroup(cgroup.membership!, 'head -c 100m /dev/zero | tail > /dev/null; exit $?')
      .ended;
    console.log(performance.now() - t0);
    const st = await s.channel.unary(Service.getStats, { id: cgroup.id });
    console.log(performance.now() - t0, st.stats?.memory, st.oomKills);
    const d = await s.channel.unary(Service.deleteCgroup, {
      id: cgroup.id,
      force: true,
      run: undefined,
    });
    console.log(d.oomKills);
  } finally {
    await s.close();
  }
});
