import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A file that nobody else gets open. */
export interface HeldFile extends AsyncDisposable {
  /** Resolves when somebody is about to open it, who then waits. */
  readonly wanted: Promise<void>;
  /** Lets go of it: whoever waits goes on. */
  release(): Promise<void>;
}

/** The signal of a lease that is to be broken would end it. It lets go when its input ends, so also with its parent. */
const HOLDER = `
import fcntl, os, signal, sys
def tell(word):
    os.write(1, word + b"\\n")
signal.signal(signal.SIGIO, lambda *_: tell(b"wanted"))
fcntl.fcntl(os.open(sys.argv[1], os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_WRLCK)
tell(b"held")
sys.stdin.read()
`;

/**
 * Has a program that copies or reads a tree stop in the middle of it, at this file: takes a lease (fcntl(2)), for which
 * others wait in open(2) until it is given back, at most the 45 s of /proc/sys/fs/lease-break-time. Needs python3.
 * @param path a file of this user that nobody has open, on a file system of the kernel
 * @throws Error if the lease is refused
 */
export async function holdFile(path: string): Promise<HeldFile> {
  const child = spawn('/usr/bin/python3', ['-c', HOLDER, path], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const held = Promise.withResolvers<undefined>();
  const wanted = Promise.withResolvers<undefined>();
  // Who does not wait for it need not hear that it never came.
  wanted.promise.catch(() => undefined);
  let said = '';
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.includes('held\n')) held.resolve(undefined);
    if (said.includes('wanted\n')) wanted.resolve(undefined);
  });
  child.once('close', () => {
    const ended = new Error(`nobody holds "${path}": ${complaint}`);
    held.reject(ended);
    wanted.reject(ended);
  });
  await held.promise;
  const release = async (): Promise<void> => {
    child.stdin.end();
    await closed;
  };
  return { wanted: wanted.promise, release, [Symbol.asyncDispose]: release };
}
