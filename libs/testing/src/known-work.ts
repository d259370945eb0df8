import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Where work is done. */
export interface WorkPlace {
  /** Files by which a process joins its groups, writing 0. */
  readonly joins: readonly string[];
  /** File that tells how much memory is in use there, for work that reads it. */
  readonly memoryFile?: string;
  /** Descriptor of its standard input; nothing to read if not given. */
  readonly input?: number;
}

/** What is known of work that has ended; bodies say more. */
export interface WorkFacts {
  /** Exit code of the process in the groups; 128 + signal number if a signal ended it. */
  readonly code: number;
  /** Processor time from when it had joined to its very end, its children included, in seconds (wait4(2)). */
  readonly cpu: number;
  /** When it was gone, seconds since 1970, and the same on CLOCK_MONOTONIC. */
  readonly end: number;
  readonly endMonotonic: number;
  /** Of work that has called `leave()`: when, on CLOCK_MONOTONIC, and the byte-seconds from then to the very end. */
  readonly last?: number;
  readonly freeing?: number;
  readonly [said: string]: number | undefined;
}

/** Work that goes on. */
export interface KnownWork {
  /** When the work began that is to be measured. */
  readonly ready: Promise<Date>;
  readonly ended: Promise<WorkFacts>;
}

/**
 * Work that says that it leaves is looked at every millisecond from then on: how long the kernel takes to let go of its memory,
 * and when it begins to, nobody tells. A parent outside of the groups sees the very end of the process in them: what the kernel does for that, it does in the
 * groups. Both say what they know in lines of JSON.
 */
const harness = (body: string): string => `
import json, mmap, os, resource, struct, sys, time
joins, memory_file = sys.argv[1].split(), sys.argv[2]
def say(**facts):
    os.write(1, (json.dumps(facts) + "\\n").encode())
def used(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime
def used_by_all():
    return used(resource.RUSAGE_SELF) + used(resource.RUSAGE_CHILDREN)
def memory_in_use():
    with open(memory_file) as file:
        return int(file.read())
def ready(**facts):
    say(ready=time.time(), **facts)
leaves, leaving = os.pipe()
def leave():
    last = time.monotonic()
    say(last=last)
    os.write(leaving, struct.pack("dq", last, memory_in_use()))
pid = os.fork()
if pid == 0:
    for path in joins:
        with open(path, "w") as file:
            file.write("0")
    begin = used_by_all()
    say(begin=begin)
${body.trim().replace(/^/gm, '    ')}
    os._exit(0)
os.close(leaving)
left = os.read(leaves, 16)
if left:
    at, had = struct.unpack("dq", left)
    freeing = 0
while True:
    done, status, usage = os.wait4(pid, os.WNOHANG if left else 0)
    end_monotonic, end = time.monotonic(), time.time()
    if left:
        has = memory_in_use()
        freeing += (end_monotonic - at) * (had + has) / 2
        at, had = end_monotonic, has
    if done: break
    time.sleep(0.001)
if left: say(freeing=freeing)
code = os.waitstatus_to_exitcode(status)
say(code=code if code >= 0 else 128 - code, total=usage.ru_utime + usage.ru_stime, end=end, endMonotonic=end_monotonic)
`;

/**
 * Does work of which it is known by other means than cgroups how much it is.
 *
 * @param body - Lines of Python that are run in the groups. They call `ready(...)` once, may `say(...)` facts,
 *   `leave()` with all the memory that they have, at their end, and use `begin`, `used(who)`, `used_by_all()` and `memory_in_use()`.
 */
export function startKnownWork(body: string, place: WorkPlace): KnownWork {
  const { joins, memoryFile = '', input } = place;
  const child = spawn('/usr/bin/python3', ['-c', harness(body), joins.join(' '), memoryFile], {
    stdio: [input ?? 'ignore', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('nothing is to be read of the work');
  const facts: Record<string, number> = {};
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<Date>((resolve, reject) => {
    lines.on('line', (line) => {
      Object.assign(facts, JSON.parse(line));
      if (facts['ready'] !== undefined) resolve(new Date(facts['ready'] * 1000));
    });
    lines.once('close', () => reject(new Error('work has ended before it was ready')));
  });
  const ended = Promise.all([once(lines, 'close'), once(child, 'exit')]).then(() => {
    const { code, total = 0, begin = 0, end, endMonotonic } = facts;
    if (code === undefined || end === undefined || endMonotonic === undefined) {
      throw new Error(`work has not said how it ended: ${JSON.stringify(facts)}`);
    }
    return { ...facts, code, cpu: total - begin, end, endMonotonic };
  });
  return { ready, ended };
}
