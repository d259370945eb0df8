import { CgroupMembership, type Cgroup, type Run } from '@teu/proto/cgroup';
import { startService, tempDir, type RunningTestService } from '@teu/testing';
import { once } from 'node:events';
import { join } from 'node:path';
import { runInGroup, type GroupProcess } from './run-in-group.js';
import { newRun, UsageCalls } from './usage-calls.js';

/** A run in a cgroup, and the program that runs in it. */
export interface Running {
  readonly run: Run;
  readonly cgroup: Cgroup;
  readonly program: GroupProcess;
}

/** The service in a process of its own, which can be killed and started again. */
export class UsageStand {
  readonly dataDir: string;
  readonly #directory = tempDir();
  readonly #begun: Running[] = [];
  #service: RunningTestService | undefined;

  /** @param dataDir where its state is; in a directory of its own if not given */
  constructor(dataDir?: string) {
    this.dataDir = dataDir ?? join(this.#directory.path, 'd');
  }

  get service(): RunningTestService {
    if (this.#service === undefined) throw new Error('the service is not started');
    return this.#service;
  }

  get calls(): UsageCalls {
    return new UsageCalls(this.service.channel);
  }

  /** Starts it; a checkpoint is every second. */
  async start(failpoints = ''): Promise<void> {
    this.#service = await startService('cgroup', {
      runDir: join(this.#directory.path, 'r'),
      dataDir: this.dataDir,
      env: {
        TEU_FAILPOINTS: failpoints,
        TEU_NATS_URL: 'nats://127.0.0.1:9',
        TEU_CGROUP_USAGE_CHECKPOINT: '1s',
      },
    });
  }

  /** Ends it as an operator does, or waits until it has ended. */
  async stop(): Promise<void> {
    await this.#service?.stop();
    this.#service = undefined;
  }

  /** Ends it as a crash does. */
  async crash(): Promise<void> {
    this.service.kill('SIGKILL');
    await this.stop();
  }

  /** Runs a script in a cgroup of its own, and tells of it when it has joined that and says that it is ready. */
  async begin(script: string): Promise<Running> {
    const { calls } = this;
    const cgroup = await calls.createCgroup();
    const program = runInGroup(cgroup.membership ?? CgroupMembership.create(), script);
    const { stdout } = program.child;
    if (stdout === null) throw new Error('nothing is to be read of the program');
    await Promise.race([once(stdout, 'data'), program.ended]);
    const running = { run: newRun(cgroup.id), cgroup, program };
    this.#begun.push(running);
    await calls.begin(running.run);
    return running;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    for (const { cgroup, program } of this.#begun) {
      await this.calls.delete(cgroup.id);
      await program.ended;
    }
    await this.stop();
    this.#directory.remove();
  }
}
