import type { ExitInfo, ProcessIdentity, SupervisorConnection } from '@teu/native';
import type { ContainerId, ExecId } from '@teu/ids';
import type { ContainerProcess, ExitStatus } from '@teu/proto/executor';
import { ProcessState } from '@teu/proto/executor';
import type { ProcessPlaces } from '../store/layout.js';

/** Life of a process as this service sees it. A `starting` one is not shown to anybody. */
export type EntryState = 'starting' | 'created' | 'running' | 'stopped';

const STATES: Record<EntryState, ProcessState> = {
  starting: ProcessState.PROCESS_STATE_UNSPECIFIED,
  created: ProcessState.PROCESS_STATE_CREATED,
  running: ProcessState.PROCESS_STATE_RUNNING,
  stopped: ProcessState.PROCESS_STATE_STOPPED,
};

const EXIT_CODE_UNKNOWN = 255;

/** One process: a container's first (exec id '') or one that joined it. */
export class ProcessEntry {
  readonly containerId: ContainerId;
  readonly execId: ExecId | '';
  readonly places: ProcessPlaces;
  state: EntryState = 'starting';
  identity: ProcessIdentity | null = null;
  supervisorPid = 0;
  startTime: Date | undefined;
  exit: ExitStatus | undefined;
  /** The line that news come over; null once the supervisor has gone. */
  connection: SupervisorConnection | null = null;
  /** A held program is being let go; whoever does it deals with a failure. */
  isStarting = false;
  /** Of a container that was made in advance, until it is launched: what its program can count on. */
  world: string | undefined;
  /** Resolves with the exit. */
  readonly ended: Promise<ExitStatus>;
  /** Resolves when the supervisor holds nothing any more: mounts, socket. */
  readonly released: Promise<void>;
  /** Set by the first delete; those that come during it share it. */
  deletion: Promise<void> | null = null;
  /** Resolves when the launch is over, one way or the other. */
  readonly launched: Promise<void>;
  /** For the launch: it is over. */
  tellLaunched: () => void = () => undefined;
  #tellEnded: (exit: ExitStatus) => void = () => undefined;
  #tellReleased: () => void = () => undefined;

  constructor(containerId: ContainerId, execId: ExecId | '', places: ProcessPlaces) {
    this.containerId = containerId;
    this.execId = execId;
    this.places = places;
    this.launched = new Promise((resolve) => (this.tellLaunched = resolve));
    this.ended = new Promise((resolve) => (this.#tellEnded = resolve));
    this.released = new Promise((resolve) => (this.#tellReleased = resolve));
  }

  /** `container 1234…` or `process 1234… of container 5678…`, for messages. */
  get description(): string {
    const container = `container ${this.containerId.slice(0, 12)}`;
    return this.execId === '' ? container : `process ${this.execId.slice(0, 12)} of ${container}`;
  }

  /** Writes down an exit; false if there was one already. */
  stop(exit: ExitStatus): boolean {
    if (this.exit !== undefined) return false;
    this.exit = exit;
    this.state = 'stopped';
    this.#tellEnded(exit);
    return true;
  }

  release(): void {
    this.connection?.close();
    this.connection = null;
    this.#tellReleased();
  }

  toProto(): ContainerProcess {
    return {
      containerId: this.containerId,
      execId: this.execId,
      state: STATES[this.state],
      pid: this.identity?.pid ?? 0,
      supervisorPid: this.supervisorPid,
      startTime: this.startTime,
      exit: this.exit,
    };
  }
}

/** An exit as the supervisor recorded it. */
export function recordedExit(info: ExitInfo): ExitStatus {
  return {
    exitCode: info.code,
    signal: info.signal,
    exitTime: new Date(Number(info.timeNs / 1_000_000n)),
    lost: false,
  };
}

/** An exit that nobody recorded. */
export function lostExit(noticed: Date): ExitStatus {
  return { exitCode: EXIT_CODE_UNKNOWN, signal: 0, exitTime: noticed, lost: true };
}
