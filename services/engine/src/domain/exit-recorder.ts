import type { ContainerExit } from '@teu/proto/engine';
import type { ContainerProcess, ExitStatus } from '@teu/proto/executor';
import { failpoint } from '@teu/failpoint';
import type { ContainerEntry } from './container-entry.js';
import type { EngineParts } from './engine-parts.js';
import type { ExecSessions } from './exec-sessions.js';
import { containerExit, killedForMemory, type MemoryReport } from './exit-memory.js';
import { exitOf } from './process-exit.js';
import { recordExit, recordLateOom } from './transitions.js';

/** Records the ends of programs, each once, whoever tells of them and how often. */
export class ExitRecorder {
  readonly #parts: EngineParts;
  readonly #execs: ExecSessions;

  constructor(parts: EngineParts, execs: ExecSessions) {
    this.#parts = parts;
    this.#execs = execs;
  }

  /** Takes note of a process that ended. One that runs or is not ours is passed over. */
  async record(process: ContainerProcess): Promise<void> {
    const { containerId, execId, exit } = process;
    if (exit === undefined) return;
    if (execId !== '') {
      await this.#execs.end(containerId, execId, exitOf(exit));
      return;
    }
    const entry = this.#parts.registry.byId(containerId);
    if (entry?.earlyExit !== undefined) {
      entry.earlyExit.offer(process);
      return;
    }
    await entry?.mutex.run(async () => {
      // The pid tells the runs of one container apart: this may be news of an earlier one.
      if (!entry.running || entry.container.pid !== process.pid) return;
      await this.#recordContainer(entry, process.pid, exit);
    });
  }

  /** Takes note that nobody can tell how a container's program ended. */
  async recordUnknown(entry: ContainerEntry, pid: number, exit: ContainerExit): Promise<void> {
    await entry.mutex.run(() => {
      if (entry.running && entry.container.pid === pid) recordExit(this.#parts, entry, exit);
    });
  }

  /** Looks at the last figures of a cgroup: an exit of 0 was recorded without asking for them. */
  noteFinalMemory(containerId: string, report: MemoryReport): void {
    const entry = this.#parts.registry.byId(containerId);
    const exit = entry?.container.exit;
    const { oomKilled, oomKill } = killedForMemory(report, 0);
    if (entry === undefined || exit === undefined || exit.oomKilled || !oomKilled) return;
    entry.mutex
      .run(() => {
        if (!entry.removed && entry.container.exit === exit) {
          recordLateOom(this.#parts, entry, { ...exit, oomKilled, oomKill });
        }
      })
      .catch((error: unknown) =>
        this.#parts.log.error({ container_id: containerId, err: error }, 'could not record an OOM'),
      );
  }

  async #recordContainer(entry: ContainerEntry, pid: number, status: ExitStatus): Promise<void> {
    const exit = await containerExit(this.#parts, entry.id, { pid, exit: status });
    failpoint('engine.exit.before-record');
    recordExit(this.#parts, entry, exit);
    failpoint('engine.exit.after-record');
  }
}
