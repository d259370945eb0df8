import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ContainerId, ExecId } from '@teu/ids';

/** Where one process has its things on the host. */
export interface ProcessPlaces {
  directory: string;
  socketPath: string;
}

/**
 * Names on disk, all derived from ids, so that what a launch leaves behind can always be found again:
 *
 *   DATA/executor/rootfs              empty; every container mounts its root on it, in a mount namespace of its own
 *   DATA/executor/c/ID/               a container: log, exit, pid (the supervisor's), container.json (ours)
 *   DATA/executor/c/ID/e/EXEC_ID/     a program that joined it
 *   RUN/c/….sock                      the supervisors' sockets
 */
export class Layout {
  readonly mountPoint: string;
  readonly containers: string;
  readonly sockets: string;

  constructor(dataDir: string, runDir: string) {
    this.mountPoint = join(dataDir, 'executor', 'rootfs');
    this.containers = join(dataDir, 'executor', 'c');
    this.sockets = join(runDir, 'c');
  }

  container(id: ContainerId): ProcessPlaces {
    return { directory: join(this.containers, id), socketPath: this.#socket(id) };
  }

  /** The directory that a container's exec processes lie in. */
  execs(id: ContainerId): string {
    return join(this.containers, id, 'e');
  }

  exec(id: ContainerId, execId: ExecId): ProcessPlaces {
    // The exec id alone may be taken in another container; a socket's path is too short for both.
    const name = createHash('sha256').update(id).update(execId).digest('hex');
    return { directory: join(this.execs(id), execId), socketPath: this.#socket(name) };
  }

  /** Half an id is plenty against chance, and a socket's path ends at 107 bytes. */
  #socket(name: string): string {
    return join(this.sockets, `${name.slice(0, 32)}.sock`);
  }
}
