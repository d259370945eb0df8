import { loadConfig } from '@teu/config';
import { newContainerId } from '@teu/ids';
import { silentLogger } from '@teu/log';
import { CgroupServiceService, type Cgroup } from '@teu/proto/cgroup';
import type { CgroupEvent } from '@teu/proto/event';
import type { LinuxResources } from '@teu/proto/type';
import { connect, type RpcChannel } from '@teu/rpc';
import { tempDir } from '@teu/testing';
import { join } from 'node:path';
import { cgroupConfig } from '../config.js';
import type { CgroupHost } from '../domain/host.js';
import { instanceOf, startServer } from '../server.js';

/** The service in this process, with an engine's name that no one else has. */
export interface StartedService {
  readonly channel: RpcChannel;
  /** Path of its groups relative to each hierarchy. */
  readonly groupPath: string;
  /** Where metrics are served; undefined if they are not. */
  readonly metricsAddress: string | undefined;
  /** What it has announced, oldest first. */
  readonly events: readonly CgroupEvent[];
  /** Process that hears from the kernel; undefined while none runs. */
  readonly watcherPid: number | undefined;
  /** Makes a group that is deleted with the service. */
  create(resources?: LinuxResources): Promise<Cgroup>;
  close(): Promise<void>;
}

/**
 * Starts the service on cgroups of this machine.
 *
 * @param host - Which of them; all that it has if not given.
 * @param flags - More of the command line.
 */
export async function startService(
  host?: CgroupHost,
  flags: readonly string[] = [],
): Promise<StartedService> {
  const directory = tempDir();
  const dataDir = join(directory.path, 'd');
  const argv = ['--run-dir', join(directory.path, 'r'), '--data-dir', dataDir, ...flags];
  const config = loadConfig(cgroupConfig, { env: {}, argv });
  const events: CgroupEvent[] = [];
  const server = await startServer(config, silentLogger, {
    ...(host === undefined ? {} : { host }),
    onEvent: (event) => events.push(event),
  });
  const channel = connect(server.address);
  const made: string[] = [];
  return {
    channel,
    metricsAddress: server.metricsAddress,
    groupPath: `teu/${instanceOf(dataDir)}`,
    events,
    get watcherPid() {
      return server.watcherPid;
    },
    create: async (resources) => {
      const id = newContainerId();
      made.push(id);
      const { createCgroup } = CgroupServiceService;
      const { cgroup } = await channel.unary(createCgroup, { id, resources, group: '' });
      if (cgroup === undefined) throw new Error('no cgroup in the answer');
      return cgroup;
    },
    close: async () => {
      for (const id of made) {
        await channel.unary(CgroupServiceService.deleteCgroup, { id, force: true, run: undefined });
      }
      channel.close();
      await server.close();
      directory.remove();
    },
  };
}
