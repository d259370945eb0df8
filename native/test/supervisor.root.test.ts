import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { nativeBinary } from '@teu/config';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  connectSupervisor,
  encodeLaunchPlan,
  launch,
  readExit,
  readLog,
  readProcessIdentity,
  type LaunchPlan,
  type LogRecord,
  type SupervisorConnection,
} from '../ts/index.js';
import { makeScratch, type Scratch } from './support/busybox-rootfs.js';
import { containerPlan, processPlan } from './support/plans.js';
import { collect, runToEnd } from './support/run.js';
import { waitUntil } from './support/wait-until.js';

const SIGTERM = 15;
const SIGKILL = 9;

describe('a supervisor', () => {
  let scratch: Scratch;
  const open: SupervisorConnection[] = [];
  beforeEach(() => {
    scratch = makeScratch();
  });
  afterEach(async () => {
    for (const connection of open.splice(0)) {
      await connection.signal(SIGKILL).catch(() => undefined);
      await connection.released().catch(() => undefined);
      connection.close();
    }
    scratch.dispose();
  });

  const plan = (script: string): LaunchPlan =>
    containerPlan(scratch, processPlan(['sh', '-c', script]));

  function start(value: LaunchPlan): SupervisorConnection {
    const { connection } = launch(value);
    open.push(connection);
    return connection;
  }

  async function firstOutput(connection: SupervisorConnection, text: string): Promise<void> {
    let seen = '';
    for await (const record of connection.attach({ from: 'start', blocking: false })) {
      seen += record.data.toString();
      if (seen.includes(text)) return;
    }
    throw new Error(`the program ended without '${text}': ${seen}`);
  }

  describe('with terminal', () => {
    const terminalPlan = (script: string) => {
      const value = plan(script);
      value.process.terminal = { rows: 33, columns: 101 };
      value.process.stdin = 'pipe';
      return value;
    };

    it('gives the program a terminal of the right size', async () => {
      const { stdout } = await runToEnd(terminalPlan('test -t 0 && stty size; ls -l /dev/console'));
      expect(stdout).toMatch(/^33 101\r\ncrw.* 136, +0 /);
    });

    it('passes input, echo and new sizes through', async () => {
      const connection = start(terminalPlan('echo ready; read line; stty size; echo "<$line>"'));
      const output = collect(connection.attach({ from: 'start', blocking: true }));
      const stdin = await connection.openStdin();
      await connection.resize({ rows: 5, columns: 7 });
      await stdin.write(Buffer.from('hello\n'));
      expect((await output).stdout.replaceAll('\r', '')).toMatch(/5 7\n<hello>\n$/);
      expect(await connection.exited()).toMatchObject({ code: 0 });
    });

    it('ends input with an end-of-file character', async () => {
      const connection = start(terminalPlan('cat; echo end'));
      const output = collect(connection.attach({ from: 'start', blocking: true }));
      const stdin = await connection.openStdin();
      await stdin.write(Buffer.from('x\n'));
      stdin.close();
      expect((await output).stdout).toContain('end');
    });
  });

  describe('with input', () => {
    const inputPlan = (script: string, stdin: 'pipe' | 'pipe-once' = 'pipe') => {
      const value = plan(script);
      value.process.stdin = stdin;
      return value;
    };

    it('writes no faster than the program reads, and loses nothing', async () => {
      const connection = start(inputPlan('wc -c'));
      const output = collect(connection.attach({ from: 'start', blocking: true }));
      const stdin = await connection.openStdin();
      await stdin.write(Buffer.alloc(1_000_000, 'x'));
      stdin.close();
      expect((await output).stdout.trim()).toBe('1000000');
    });

    it('lets one client write at a time', async () => {
      const value = inputPlan('cat');
      const first = start(value);
      await first.started();
      const writer = await first.openStdin();
      const second = await connectSupervisor(value.socketPath ?? '');
      await expect(second.openStdin()).rejects.toMatchObject({ code: 'EBUSY' });
      second.close();
      writer.close();
      await first.exited();
    });

    it('ends pipe-once input when its writer goes away', async () => {
      const value = inputPlan('cat; echo end', 'pipe-once');
      const watcher = start(value);
      await watcher.started();
      const output = collect(watcher.attach({ from: 'start', blocking: true }));
      const writer = await connectSupervisor(value.socketPath ?? '');
      const stdin = await writer.openStdin();
      await stdin.write(Buffer.from('in '));
      writer.close();
      expect((await output).stdout).toBe('in end\n');
    });

    it('refuses input where there is none', async () => {
      const connection = start(plan('sleep 1000'));
      await connection.started();
      await expect(connection.openStdin()).rejects.toMatchObject({ code: 'EPIPE' });
      await expect(connection.resize({ rows: 1, columns: 1 })).rejects.toMatchObject({
        code: 'ENOTTY',
      });
    });
  });

  describe('the log', () => {
    it('is read from any record on, by time and from the end', async () => {
      const value = plan('for i in 1 2 3 4 5; do echo line $i; read next; done');
      value.process.stdin = 'pipe';
      const connection = start(value);
      await connection.started();
      const stdin = await connection.openStdin();
      // A line is written when the one before has become a record.
      for await (const { data } of connection.attach({ from: 'start', blocking: true })) {
        expect(data.toString()).toMatch(/^line \d\n$/);
        await stdin.write(Buffer.from('\n'));
      }
      await connection.exited();
      const all: LogRecord[] = await Array.fromAsync(readLog(value.directory));
      const text = (records: LogRecord[]) => records.map((r) => r.data.toString()).join('');
      expect(text(all)).toBe('line 1\nline 2\nline 3\nline 4\nline 5\n');
      const third = all[2];
      if (third === undefined) throw new Error('five separate records were expected');
      const from = await Array.fromAsync(readLog(value.directory, { from: third.offset }));
      expect(text(from)).toBe('line 3\nline 4\nline 5\n');
      const since = await Array.fromAsync(readLog(value.directory, { sinceNs: third.timeNs }));
      expect(text(since)).toBe('line 3\nline 4\nline 5\n');
      const tail = await Array.fromAsync(readLog(value.directory, { tailLines: 2 }));
      expect(text(tail)).toBe('line 4\nline 5\n');
      expect(await Array.fromAsync(readLog(value.directory, { tailLines: 0 }))).toEqual([]);
    });

    it('stays bounded, and a blocking reader misses nothing', async () => {
      const value = plan('seq 1 200000');
      value.log.maxFileBytes = 64 * 1024;
      value.hold = true;
      const connection = start(value);
      const output = collect(connection.attach({ from: 'start', blocking: true }));
      await connection.created();
      await connection.start();
      const { stdout } = await output;
      const lines = stdout.trim().split('\n');
      expect(lines.length).toBe(200000);
      expect(lines.at(-1)).toBe('200000');
      const files = readdirSync(value.directory).filter((name) => name.startsWith('log'));
      expect(files.sort()).toEqual(['log', 'log.1']);
      for (const name of files) {
        expect(readFileSync(join(value.directory, name)).length).toBeLessThanOrEqual(70 * 1024);
      }
      const kept = await Array.fromAsync(readLog(value.directory));
      const last = kept.map((record) => record.data.toString()).join('');
      expect(stdout.endsWith(last)).toBe(true);
    });

    it('does not wait for a reader that does not block, and tells it of the gap', async () => {
      const value = plan('echo first; read x; seq 1 200000');
      value.process.stdin = 'pipe';
      value.log.maxFileBytes = 64 * 1024;
      const connection = start(value);
      const slow = await connectSupervisor(value.socketPath ?? '').catch(async () => {
        await connection.started();
        return connectSupervisor(value.socketPath ?? '');
      });
      const records = slow.attach({ from: 'start', blocking: false })[Symbol.asyncIterator]();
      expect((await records.next()).value).toMatchObject({ gap: false });
      const stdin = await connection.openStdin();
      await stdin.write(Buffer.from('\n'));
      await connection.exited();
      let gaps = 0;
      let text = '';
      for (let next = await records.next(); next.done !== true; next = await records.next()) {
        if (next.value.gap) gaps += 1;
        text += next.value.data.toString();
      }
      expect(text.endsWith('\n200000\n')).toBe(true);
      expect(gaps).toBeGreaterThanOrEqual(0);
      slow.close();
    });

    it('drops output that the disk does not take, and says so', async () => {
      const value = plan('seq 1 200000; echo done');
      const small = join(scratch.directory, 'small');
      mkdirSync(small);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', small]);
      try {
        value.directory = small;
        const connection = start(value);
        expect(await connection.exited()).toMatchObject({ code: 0 });
        expect((await connection.status()).lostBytes).toBeGreaterThan(0n);
        expect(await readExit(small)).toMatchObject({ code: 0 });
        await connection.released();
        connection.close();
      } finally {
        await waitUntil(() => spawnSync('umount', [small]).status === 0, 'an unmount');
      }
    });
  });

  it('holds a program until it is started', async () => {
    const value = plan('echo go; sleep 1000');
    value.hold = true;
    const connection = start(value);
    const { pid } = await connection.created();
    expect(await connection.status()).toMatchObject({ state: 'created', process: { pid } });
    await expect(connectAndSee(value)).resolves.toBe(pid);
    expect(await Array.fromAsync(readLog(value.directory))).toEqual([]);
    await connection.start();
    await firstOutput(connection, 'go\n');
    await expect(connection.start()).rejects.toMatchObject({ code: 'EALREADY' });
  });

  it('tells the end of a program that was killed while held', async () => {
    const value = plan('echo go');
    value.hold = true;
    const connection = start(value);
    await connection.created();
    await connection.signal(SIGKILL);
    expect(await connection.exited()).toMatchObject({ code: 137, signal: 9 });
    await expect(connection.started()).rejects.toMatchObject({ step: 'killed' });
    expect(await readExit(value.directory)).toMatchObject({ code: 137 });
  });

  async function connectAndSee(value: LaunchPlan): Promise<number> {
    const other = await connectSupervisor(value.socketPath ?? '');
    const { pid } = await other.created();
    other.close();
    return pid;
  }

  it('passes signals on, to one and to all', async () => {
    const connection = start(
      plan('trap "echo got; exit 9" TERM; echo up; while :; do sleep 0.02; done'),
    );
    const output = collect(connection.attach({ from: 'start', blocking: true }));
    const watch = await connectSupervisor((await socketOf()) ?? '');
    await firstOutput(watch, 'up');
    watch.close();
    await connection.signal(SIGTERM);
    expect(await connection.exited()).toMatchObject({ code: 9, signal: 0 });
    expect((await output).stdout).toBe('up\ngot\n');
    await expect(connection.signal(SIGTERM)).rejects.toBeDefined();

    async function socketOf(): Promise<string | undefined> {
      await connection.started();
      const states = readdirSync(join(scratch.directory, 'state')).map(Number);
      return join(scratch.directory, 'state', String(Math.max(...states)), 's');
    }
  });

  it('tells the killing signal', async () => {
    const connection = start(plan('kill -9 $$; sleep 1000'));
    await connection.started();
    // Not even SIGKILL from inside ends the first process of a pid namespace.
    await connection.signal(SIGKILL);
    expect(await connection.exited()).toMatchObject({ code: 137, signal: 9 });
  });

  it('outlives the process that launched it, with log, exit code and socket', async () => {
    const value = plan('echo early; read x; echo late; exit 42');
    value.process.stdin = 'pipe';
    const launcher = join(scratch.directory, 'launcher.cjs');
    writeFileSync(join(scratch.directory, 'plan'), encodeLaunchPlan(value));
    writeFileSync(
      launcher,
      `const addon = require(${JSON.stringify(nativeBinary('teu.node'))});
       addon.prepareInit(${JSON.stringify(nativeBinary('teu-init'))});
       addon.launch(require('fs').readFileSync(${JSON.stringify(join(scratch.directory, 'plan'))}), 'x');
       setInterval(() => {}, 1000);`,
    );
    const child = spawn(process.execPath, [launcher], { stdio: 'inherit' });
    await waitUntil(() => existsSync(value.socketPath ?? ''), 'the socket');
    child.kill('SIGKILL');
    await once(child, 'exit');

    const connection = await connectSupervisor(value.socketPath ?? '');
    open.push(connection);
    const { process: program } = await connection.started();
    expect(await readProcessIdentity(value.directory)).toMatchObject({ ...program });
    const output = collect(connection.attach({ from: 'start', blocking: true }));
    const stdin = await connection.openStdin();
    await stdin.write(Buffer.from('\n'));
    expect(await connection.exited()).toMatchObject({ code: 42 });
    expect((await output).stdout).toBe('early\nlate\n');
    expect(await readExit(value.directory)).toMatchObject({ code: 42, signal: 0 });
    await connection.released();
    await expect(connectSupervisor(value.socketPath ?? '')).rejects.toMatchObject({
      code: 'ENOENT',
      step: 'connect',
    });
  });

  it('takes the container with it when it is killed', async () => {
    const value = plan('sleep 1000');
    const { connection, supervisorPid } = launch(value);
    const { process: program } = await connection.started();
    process.kill(supervisorPid, 'SIGKILL');
    await connection.closed();
    await waitUntil(() => !existsSync(`/proc/${program.pid}`), 'the end of the program');
    expect(await readExit(value.directory)).toBeNull();
  });

  it('needs less than half a megabyte of its own', async () => {
    const { connection, supervisorPid } = launch(plan('echo x; sleep 1000'));
    open.push(connection);
    await connection.started();
    await connection.status();
    const rollup = readFileSync(`/proc/${supervisorPid}/smaps_rollup`, 'utf8');
    const privateKib = [...rollup.matchAll(/^Private_\w+: +(\d+) kB$/gm)]
      .map((match) => Number(match[1]))
      .reduce((sum, kib) => sum + kib, 0);
    expect(privateKib).toBeLessThan(512);
  });

  it('reports a plan that is no plan', async () => {
    const { loadAddon } = await import('../ts/addon.js');
    const { Socket } = await import('node:net');
    const { SupervisorConnection: Connection } = await import('../ts/index.js');
    const { controlFd } = loadAddon().launch(Buffer.from('TEUPnonsense'), 'bad');
    const connection = new Connection(
      new Socket({ fd: controlFd, readable: true, writable: true }),
    );
    await expect(connection.started()).rejects.toMatchObject({ step: 'plan', code: 'EPROTO' });
    connection.close();
  });

  it('refuses malformed frames by hanging up, and lives on', async () => {
    const value = plan('sleep 1000');
    const connection = start(value);
    await connection.started();
    const { createConnection } = await import('node:net');
    const rude = createConnection({ path: value.socketPath ?? '' });
    rude.write(Buffer.alloc(64, 0xff));
    rude.resume();
    await once(rude, 'close');
    expect(await connection.status()).toMatchObject({ state: 'running' });
  });
});
