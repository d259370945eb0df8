import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@teu/log';
import { startRpcServer } from '@teu/rpc';
import type { CgroupConfig } from './config.js';
import { detectHost } from './domain/detect-host.js';
import { implementCgroupService } from './implement-service.js';
import { CgroupTree } from './tree/cgroup-tree.js';
import { VERSION } from './version.js';

/** A service that serves. */
export interface CgroupServer {
  readonly address: string;
  close(): Promise<void>;
}

const INSTANCE_LENGTH = 12;

/** Name of the group of all containers of one engine, so that several engines share a host. */
export function instanceOf(dataDir: string): string {
  return createHash('sha256').update(dataDir).digest('hex').slice(0, INSTANCE_LENGTH);
}

/**
 * Starts the service: finds the hierarchies, makes the engine's groups, serves. No group of a
 * container is touched; which of them are wanted is for the engine to say.
 *
 * @throws CGROUP_UNAVAILABLE if the host has no hierarchy that can be used
 */
export async function startServer(config: CgroupConfig, log: Logger): Promise<CgroupServer> {
  const host = detectHost({
    mountinfo: readFileSync('/proc/self/mountinfo', 'utf8'),
    cgroups: readFileSync('/proc/cgroups', 'utf8'),
    readControllers: (mountPath) => readFileSync(join(mountPath, 'cgroup.controllers'), 'utf8'),
  });
  const tree = new CgroupTree(host, instanceOf(config.dataDir));
  log.info(
    { mode: host.mode, group: tree.groupPath, groups: tree.ids().length },
    'cgroups are ready',
  );
  const server = await startRpcServer({
    name: 'cgroup',
    version: VERSION,
    address: config.address,
    services: [implementCgroupService(tree)],
    log,
  });
  return {
    address: server.address,
    close: async () => {
      await server.close();
      tree.removeParents();
    },
  };
}
