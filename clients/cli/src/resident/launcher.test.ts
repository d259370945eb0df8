import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { nativeBinary } from '@teu/config';
import { silentLogger } from '@teu/log';
import { runProgram, tempDir, waitFor, type TempDir } from '@teu/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../context.js';
import { ServiceConnections } from '../services.js';
import { startCliServer, type CliServer } from './cli-server.js';
import { encodeFrame, FrameDecoder, fromLauncher, toLauncher } from './frames.js';
import type { Program } from './launcher-session.js';

// The real launcher against a resident that runs what the test wants.
const launcher = nativeBinary('teu');
let directory: TempDir;
let server: CliServer | undefined;
let env: Record<string, string>;

beforeEach(() => {
  directory = tempDir();
  env = { TEU_RUN_DIR: directory.path, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  directory.remove();
});

async function serve(program: Program): Promise<void> {
  server = await startCliServer({
    runDir: directory.path,
    services: new ServiceConnections(directory.path),
    program,
    log: silentLogger,
  });
}

const shell = (script: string) => runProgram('bash', ['-c', script, 'bash', launcher], { env });

test('arguments, environment and directory arrive; output and exit code come back', async () => {
  const seen: Partial<Context> = {};
  await serve(async (context) => {
    Object.assign(seen, context);
    await context.stdout.write('to stdout\n');
    await context.stderr.write('to stderr\n');
    return 42;
  });
  const result = await runProgram(launcher, ['run', '--name', 'a b', '', 'ü'], {
    env: { ...env, PROBE: 'x=y' },
  });
  expect(result).toEqual({ code: 42, stdout: 'to stdout\n', stderr: 'to stderr\n' });
  expect(seen.args).toEqual(['run', '--name', 'a b', '', 'ü']);
  expect(seen.env?.['PROBE']).toBe('x=y');
  expect(seen.cwd).toBe(process.cwd());
  expect(seen.stdin?.isTerminal).toBe(false);
  expect(seen.place).toBe('resident');
});

test('input passes through whole, and as much output as there is', async () => {
  await serve(async (context) => {
    for await (const chunk of context.stdin.read()) await context.stdout.write(chunk);
    return 0;
  });
  const input = 'line of input\n'.repeat(200_000);
  const result = await runProgram(launcher, ['cat'], { env, stdin: input });
  expect(result.code).toBe(0);
  expect(result.stdout === input).toBe(true);
});

test('input that the command does not read stays for the next program', async () => {
  await serve(() => Promise.resolve(0));
  const result = await shell('echo kept | { "$1" ps; cat; }');
  expect(result.stdout).toBe('kept\n');
});

test('standard descriptors that are closed are empty, not the control socket', async () => {
  await serve(async (context) => {
    for await (const chunk of context.stdin.read()) await context.stdout.write(chunk);
    await context.stdout.write('end of input\n');
    return 3;
  });
  const closedInput = await shell('timeout 5 "$1" cat <&-; exit $?');
  expect(closedInput).toMatchObject({ code: 3, stdout: 'end of input\n' });
  expect((await shell('timeout 5 "$1" cat <&- >&- 2>&-')).code).toBe(3);
});

test('a closed pipe ends the launcher as it ends any filter, and aborts the command', async () => {
  let aborted = false;
  await serve(async (context) => {
    while (!context.abort.aborted) await context.stdout.write(Buffer.alloc(65_536, 'x'));
    aborted = true;
    return 0;
  });
  const result = await shell('"$1" logs | head -c 1 > /dev/null; echo ${PIPESTATUS[0]}');
  expect(result.stdout).toBe(`${String(128 + constants.signals.SIGPIPE)}\n`);
  await waitFor(() => aborted, { timeoutMs: 5000 });
});

test('signals reach a command that listens', async () => {
  const got: number[] = [];
  let listening = false;
  await serve(
    (context) =>
      new Promise((resolve) => {
        context.signals.listen((signal) => {
          got.push(signal);
          if (signal === constants.signals.SIGTERM) resolve(7);
        });
        listening = true;
      }),
  );
  const child = spawn(launcher, ['run'], { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await waitFor(() => listening, { timeoutMs: 5000 });
  child.kill('SIGHUP');
  await waitFor(() => got.length === 1, { timeoutMs: 5000 });
  child.kill('SIGTERM');
  expect(await ended).toEqual([7, null]);
  expect(got).toEqual([constants.signals.SIGHUP, constants.signals.SIGTERM]);
});

test('an interrupt aborts a command that does not listen', async () => {
  let running = false;
  await serve(
    (context) =>
      new Promise((resolve) => {
        context.abort.addEventListener('abort', () => {
          resolve((context.abort.reason as { exitCode: number }).exitCode);
        });
        running = true;
      }),
  );
  const child = spawn(launcher, ['wait', 'x'], { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await waitFor(() => running, { timeoutMs: 5000 });
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
});

test('three interrupts end the launcher, whatever the command does', async () => {
  const got: number[] = [];
  await serve((context) => {
    context.signals.listen((signal) => got.push(signal));
    got.push(0);
    return new Promise(() => undefined);
  });
  const child = spawn(launcher, ['run'], { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  for (const count of [1, 2, 3]) {
    await waitFor(() => got.length === count, { timeoutMs: 5000 });
    child.kill('SIGINT');
  }
  expect(await ended).toEqual([130, null]);
});

test('a resident that dies is told of, with the exit code of an engine’s failure', async () => {
  let running = false;
  await serve(() => {
    running = true;
    return new Promise(() => undefined);
  });
  const result = runProgram(launcher, ['run'], { env });
  await waitFor(() => running, { timeoutMs: 5000 });
  await server?.close();
  expect(await result).toMatchObject({ code: 125, stdout: '' });
  expect((await result).stderr).toContain('ended before the command did');
});

test('without a resident the command runs in Node', async () => {
  const result = await runProgram(launcher, ['completion', 'bash'], { env });
  expect(result.code).toBe(0);
  expect(result.stdout).toContain('complete -F');
});

/** A resident of another version: answers every hello with one frame. */
async function answerWith(frame: Buffer): Promise<{ close(): void; hellos: Buffer[] }> {
  const hellos: Buffer[] = [];
  const foreign = createServer((socket: Socket) => {
    const decoder = new FrameDecoder();
    socket.on('data', (chunk) => {
      for (const { type, payload } of decoder.push(chunk)) {
        if (type === fromLauncher.hello) hellos.push(payload);
        socket.end(frame);
      }
    });
    socket.on('error', () => undefined);
  });
  foreign.listen(join(directory.path, 'cli.sock'));
  await once(foreign, 'listening');
  return {
    close: () => {
      foreign.close();
    },
    hellos,
  };
}

test('a resident that can’t run the command leaves it to Node, input and all', async () => {
  const foreign = await answerWith(encodeFrame(toLauncher.runLocally));
  const result = await shell('echo kept | { "$1" completion bash; cat; }');
  foreign.close();
  expect(foreign.hellos.length).toBe(1);
  expect(result.stdout).toContain('complete -F');
  expect(result.stdout).toMatch(/kept\n$/);
});

test('frames of a later version are passed over', async () => {
  const exit = encodeFrame(toLauncher.exit, Uint8Array.of(3, 0, 0, 0));
  const unknown = encodeFrame(0xf0, Buffer.from('something new'));
  const foreign = await answerWith(
    Buffer.concat([encodeFrame(toLauncher.accepted), unknown, exit]),
  );
  const result = await runProgram(launcher, ['ps'], { env });
  foreign.close();
  expect(result).toEqual({ code: 3, stdout: '', stderr: '' });
});
