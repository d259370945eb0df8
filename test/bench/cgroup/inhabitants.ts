import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { CgroupServiceService as Service, CreateCgroupRequest } from '@teu/proto/cgroup';
import type { RpcChannel } from '@teu/rpc';

/**
 * What the process in each cgroup does: nothing, or a little 4 times a second, so that its figures move, or each time taking or
 * letting go of a quarter of a MiB.
 */
export type Life = 'sleeping' | 'stirring' | 'breathing';

/** Cgroups with one process in each, as the service sees containers. */
export interface Inhabitants {
  readonly ids: readonly string[];
  /** Kills the processes and removes the cgroups. */
  close(): Promise<void>;
}

// One program for all: a process a line of its input, which names the files that it joins its groups by.
const program = `
import os, signal, sys, time
life = sys.argv[1]
for line in sys.stdin:
    if os.fork() == 0:
        for path in line.split():
            with open(path, "w") as file:
                file.write("0")
        held = None
        while True:
            if life == "sleeping":
                signal.pause()
            elif life == "stirring":
                sum(range(2000))
            else:
                held = b"x" * (1 << 18) if held is None else None
            time.sleep(0.25)
print("settled", flush=True)
signal.pause()
`;

/** Makes cgroups through a service and puts a process into each. */
export async function inhabit(
  channel: RpcChannel,
  count: number,
  life: Life,
): Promise<Inhabitants> {
  const ids: string[] = [];
  const lines: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const id = randomBytes(32).toString('hex');
    const { cgroup } = await channel.unary(
      Service.createCgroup,
      CreateCgroupRequest.create({ id }),
    );
    const { v1TasksPaths = [], v2Directory = '' } = cgroup?.membership ?? {};
    lines.push(
      [...v1TasksPaths, ...(v2Directory ? [`${v2Directory}/cgroup.procs`] : [])].join(' '),
    );
    ids.push(id);
  }
  const parent = await settle(`${lines.join('\n')}\n`, life);
  const close = async (): Promise<void> => {
    const ended = once(parent, 'exit');
    parent.kill('SIGKILL');
    await ended;
    for (const id of ids) {
      await channel.unary(Service.deleteCgroup, { id, force: true, run: undefined });
    }
  };
  return { ids, close };
}

async function settle(lines: string, life: Life): Promise<ChildProcess> {
  const parent = spawn('/usr/bin/python3', ['-c', program, life], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  parent.stdin.end(lines);
  await once(parent.stdout, 'data');
  return parent;
}
