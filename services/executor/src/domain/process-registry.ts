import { teuError, type TeuError } from '@teu/errors';
import type { ContainerId, ExecId } from '@teu/ids';
import type { ContainerEntry } from './container-entry.js';
import type { ProcessEntry } from './process-entry.js';

/** All containers of this engine. The directories on disk are the truth; this is their image in memory. */
export class ProcessRegistry {
  readonly #containers = new Map<ContainerId, ContainerEntry>();

  /** Takes an id. @throws CONTAINER_EXISTS */
  addContainer(container: ContainerEntry): void {
    const id = container.first.containerId;
    if (this.#containers.has(id)) throw processExists(container.first);
    this.#containers.set(id, container);
  }

  /** Takes an id in a container. @throws PROCESS_EXISTS */
  addExec(container: ContainerEntry, exec: ProcessEntry): void {
    const execId = exec.execId as ExecId;
    if (container.execs.has(execId)) {
      throw processExists(exec);
    }
    container.execs.set(execId, exec);
  }

  /** Forgets a process; a container's first one takes all others of it along. */
  remove(process: ProcessEntry): void {
    const container = this.#containers.get(process.containerId);
    if (container?.first === process) this.#containers.delete(process.containerId);
    else if (process.execId !== '') container?.execs.delete(process.execId);
  }

  /** The container, also while it starts; undefined if there is none. */
  lookUp(id: ContainerId): ContainerEntry | undefined {
    return this.#containers.get(id);
  }

  /** @throws CONTAINER_NOT_FOUND, also while the container starts. */
  container(id: ContainerId): ContainerEntry {
    const container = this.#containers.get(id);
    if (container === undefined || container.first.state === 'starting') {
      throw teuError('CONTAINER_NOT_FOUND', `there is no container ${id.slice(0, 12)}`, {
        metadata: { container_id: id },
      });
    }
    return container;
  }

  /** @throws CONTAINER_NOT_FOUND, EXEC_NOT_FOUND */
  process(id: ContainerId, execId: ExecId | ''): ProcessEntry {
    const container = this.container(id);
    if (execId === '') return container.first;
    const process = container.execs.get(execId);
    if (process === undefined || process.state === 'starting') {
      throw teuError(
        'EXEC_NOT_FOUND',
        `container ${id.slice(0, 12)} has no process ${execId.slice(0, 12)}`,
        { metadata: { container_id: id, exec_id: execId } },
      );
    }
    return process;
  }

  /** Waits until the launch of a process is over, if there is one. */
  async launchEnd(id: ContainerId, execId: ExecId | ''): Promise<void> {
    const container = this.#containers.get(id);
    const process = execId === '' ? container?.first : container?.execs.get(execId);
    if (process?.state === 'starting') await process.launched;
  }

  /** All processes that are shown, of one container or of all, in no order. */
  processes(id?: ContainerId): ProcessEntry[] {
    const containers =
      id === undefined ? [...this.#containers.values()] : [this.#containers.get(id)];
    return containers
      .flatMap((entry) => (entry === undefined ? [] : [entry.first, ...entry.execs.values()]))
      .filter(({ state }) => state !== 'starting');
  }
}

/** Says that an id is taken. */
export function processExists(process: ProcessEntry): TeuError {
  const reason = process.execId === '' ? 'CONTAINER_EXISTS' : 'PROCESS_EXISTS';
  return teuError(reason, `${process.description} exists already`, {
    metadata: { container_id: process.containerId, exec_id: process.execId },
  });
}
