import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSyscallProbe } from './testing/syscall-probe.js';
import { startTestExecutor, type TestExecutor } from './testing/test-executor.js';

const EPERM = -1;
const EBADF = -9;
const EFAULT = -14;
const ENOSYS = -38;

/** The filter in a real kernel, with the calls that CVEs were about (A14). */
describe.runIf(process.arch === 'x64')('system calls of a container', () => {
  let executor: TestExecutor;
  beforeAll(async () => {
    executor = await startTestExecutor();
    buildSyscallProbe(join(executor.directory.root, 'bin'));
  });
  afterAll(() => executor.stop());

  async function probe(...calls: string[]): Promise<number[]> {
    const { stdout } = await executor.client.run(['probe', ...calls]);
    await executor.client.removeAll();
    return stdout.trim().split('\n').map(Number);
  }

  it('socket: no AF_ALG and no AF_VSOCK by the 64-bit entry, nor with a disguising high half', async () => {
    const results = await probe('n41:1:1:0', 'n41:38:5:0', 'n41:40:1:0', 'n41:0x100000026:5:0');
    expect(results).toEqual([0, EPERM, EPERM, EPERM]);
  });

  it('socket: nor by the 32-bit entry', async () => {
    const [unix, alg, vsock] = await probe('i359:1:1:0', 'i359:38:5:0', 'i359:40:1:0');
    // A kernel without 32-bit programs ends the probe before it prints.
    expect([0, undefined, NaN]).toContain(unix);
    if (unix === 0) expect([alg, vsock]).toEqual([EPERM, EPERM]);
  });

  it('x32 numbers are judged as what they are', async () => {
    const X32 = 0x40000000;
    // bpf, keyctl: refused; getpid: what the kernel says, which may not have x32.
    const [bpf, keyctl, getpid] = await probe(`n${X32 + 321}`, `n${X32 + 250}`, `n${X32 + 39}`);
    expect([bpf, keyctl]).toEqual([EPERM, EPERM]);
    expect([0, ENOSYS]).toContain(getpid);
  });

  it('clone3 does not exist, so that C libraries use clone; clone makes no namespaces', async () => {
    const CLONE_NEWUSER = 0x10000000;
    expect(await probe('n435:0:0:0', `n56:${CLONE_NEWUSER}:0:0`)).toEqual([ENOSYS, EPERM]);
  });

  it('io_uring, keyrings, userfaultfd, mount and bpf are refused', async () => {
    const calls = [425, 426, 427, 248, 249, 250, 323, 165, 428, 430, 321].map(
      (number) => `n${number}`,
    );
    expect(await probe(...calls)).toEqual(calls.map(() => EPERM));
  });

  it('calls of the future do not exist; statx and read reach the kernel', async () => {
    expect(await probe('n470:0', 'n600:0', 'n332:0:1:0', 'n0:99:0:0')).toEqual([
      ENOSYS,
      ENOSYS,
      EFAULT,
      EBADF,
    ]);
  });
});
