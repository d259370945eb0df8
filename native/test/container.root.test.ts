import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeScratch, type Scratch } from './support/busybox-rootfs.js';
import { containerPlan, processPlan } from './support/plans.js';
import { runToEnd } from './support/run.js';

describe('a container', () => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = makeScratch();
  });
  afterEach(() => scratch.dispose());

  const run = (...argv: string[]) => runToEnd(containerPlan(scratch, processPlan(argv)));

  it('runs a program to its end and tells its exit code', async () => {
    const finished = await run('sh', '-c', 'echo out; echo err >&2; exit 7');
    expect(finished).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
    expect(finished.exit).toMatchObject({ code: 7, signal: 0, coreDumped: false });
  });
});
