import { EventEmitter } from 'node:events';
import { clock } from '@teu/ids';
import {
  OutputStream,
  ProcessState,
  type ContainerProcess,
  type ExitStatus,
  type LogRecord,
} from '@teu/proto/executor';

const SIGTERM = 15;
const SIGKILL = 9;

/** What a program does; it gets the process to act on. */
type Behaviour = (process: FakeProcess, args: string[]) => void;

/** Programs of the fake world. Anything else runs until a signal ends it. */
const PROGRAMS: Readonly<Record<string, Behaviour>> = {
  true: (process) => process.end(0),
  exit: (process, [code = '0']) => process.end(Number(code)),
  echo: (process, words) => {
    process.print(`${words.join(' ')}\n`);
    process.end(0);
  },
  complain: (process, words) => {
    process.print(`${words.join(' ')}\n`, OutputStream.OUTPUT_STREAM_STDERR);
    process.end(1);
  },
  flood: (process, [count = '0']) => {
    for (let i = 0; i < Number(count); i += 1) process.print(`${i}\n`);
    process.end(0);
  },
};

/** A process of a fake executor. */
export class FakeProcess extends EventEmitter {
  readonly containerId: string;
  readonly execId: string;
  readonly pid: number;
  readonly program: string;
  readonly log: LogRecord[] = [];
  readonly startTime = clock.now();
  /** Signals that it got. */
  readonly signals: number[] = [];
  exit: ExitStatus | undefined;

  constructor(containerId: string, execId: string, pid: number, args: string[]) {
    super();
    this.setMaxListeners(0);
    this.containerId = containerId;
    this.execId = execId;
    this.pid = pid;
    this.program = args[0] ?? '';
    PROGRAMS[this.program]?.(this, args.slice(1));
  }

  print(text: string, stream: LogRecord['stream'] = OutputStream.OUTPUT_STREAM_STDOUT): void {
    const data = Buffer.from(text);
    const offset = this.log.at(-1)?.nextOffset ?? 0;
    const nextOffset = offset + data.length;
    this.log.push({ offset, nextOffset, unixMicros: 0, stream, data });
    this.emit('change');
  }

  /** Input from a client: `cat` prints it. */
  input(data: Buffer): void {
    if (this.program === 'cat') this.print(data.toString());
  }

  closeInput(): void {
    if (this.program === 'cat') this.end(0);
  }

  /** Programs end by SIGTERM, but for `stubborn`, which only SIGKILL ends. */
  signal(number: number): void {
    this.signals.push(number);
    const ends = number === SIGKILL || (number === SIGTERM && this.program !== 'stubborn');
    if (ends) this.end(128 + number, number);
  }

  end(exitCode: number, signal = 0, lost = false): void {
    if (this.exit !== undefined) return;
    this.exit = { exitCode, signal, exitTime: clock.now(), lost };
    this.emit('change');
    this.emit('exit');
  }

  describe(): ContainerProcess {
    const { containerId, execId, pid, startTime, exit } = this;
    const state =
      exit === undefined ? ProcessState.PROCESS_STATE_RUNNING : ProcessState.PROCESS_STATE_STOPPED;
    return { containerId, execId, state, pid, supervisorPid: pid + 1, startTime, exit };
  }
}
