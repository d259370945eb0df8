import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  launch,
  readLog,
  writeProgramPlan,
  type LaunchPlan,
  type ProcessPlan,
  type SupervisorConnection,
} from '../ts/index.js';
import { makeScratch, type Scratch } from './support/busybox-rootfs.js';
import { containerPlan, processPlan } from './support/plans.js';

const SIGKILL = 9;

describe('a world made in advance', () => {
  let scratch: Scratch;
  let world: LaunchPlan;
  let connection: SupervisorConnection;
  beforeEach(async () => {
    scratch = makeScratch();
    world = { ...containerPlan(scratch, processPlan(['unused'])), holdWorld: true };
    ({ connection } = launch(world));
    await connection.created();
  });
  afterEach(async () => {
    await connection.signal(SIGKILL).catch(() => undefined);
    await connection.released().catch(() => undefined);
    connection.close();
    scratch.dispose();
  });

  async function run(process: ProcessPlan, changes: Partial<LaunchPlan> = {}): Promise<string> {
    writeProgramPlan({ ...world, ...changes, process });
    await connection.startPlanned();
    await connection.started();
    await connection.exited();
    const records = await Array.fromAsync(readLog(world.directory));
    return records.map(({ data }) => data.toString()).join('');
  }

  it('runs the program, by the name and with the settings of the second plan', async () => {
    const script =
      'hostname; echo $A; echo $$; cat /proc/sys/kernel/msgmax; (touch /x 2>/dev/null) || echo ro';
    const process = processPlan(['sh', '-c', script], {
      env: ['PATH=/bin', 'A=here'],
    });
    const changes = {
      hostname: 'later',
      sysctl: [{ key: 'kernel.msgmax', value: '4242' }],
      rootfs: world.rootfs && { ...world.rootfs, readonly: true },
    };
    expect(await run(process, changes)).toBe('later\nhere\n1\n4242\nro\n');
    expect(readdirSync(world.directory)).not.toContain('program');
  });

  it('has all its privileges taken away like any other', async () => {
    const process = processPlan(['grep', '-E', '^(Uid|CapEff|NoNewPrivs):', '/proc/self/status'], {
      user: { kind: 'ids', uid: 65534, gid: 65534, additionalGids: [] },
      noNewPrivileges: true,
    });
    const output = await run(process);
    expect(output).toMatch(/^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
    expect(output).toMatch(/^CapEff:\s+0000000000000000$/m);
    expect(output).toMatch(/^NoNewPrivs:\s+1$/m);
  });

  it('says why its program cannot run, and leaves nothing', async () => {
    writeProgramPlan({ ...world, process: processPlan(['/nosuch']) });
    await connection.startPlanned();
    await expect(connection.started()).rejects.toMatchObject({ step: 'exec', code: 'ENOENT' });
    await connection.closed();
    expect(existsSync(world.socketPath ?? '')).toBe(false);
  });

  it('is started once, and not without a plan', async () => {
    await expect(connection.start()).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(connection.startPlanned()).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await run(processPlan(['echo', 'once']))).toBe('once\n');
    await expect(connection.startPlanned()).rejects.toMatchObject({ code: 'EALREADY' });
  });

  it('refuses a program with a terminal or input', async () => {
    const process = processPlan(['sh'], { stdin: 'pipe' });
    writeProgramPlan({ ...world, process });
    await connection.startPlanned();
    await expect(connection.started()).rejects.toMatchObject({ step: 'plan' });
  });

  it('ends with its child when that is killed', async () => {
    await connection.signal(SIGKILL);
    expect(await connection.exited()).toMatchObject({ code: 137 });
    await expect(connection.started()).rejects.toMatchObject({ step: 'killed' });
    await connection.released();
    expect(existsSync(join(world.directory, 'exit'))).toBe(true);
  });
});
