import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { waitFor } from './wait-for.js';

/** Where every zfs-fuse listens; there can be one on a host. */
const SOCKET = '/run/zfs/zfs_socket';
/** It ends with the test, however that ends (setpriv(1) of util-linux 2.35 or later). */
const PROGRAM = ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '/usr/sbin/zfs-fuse'] as const;
/** Another test file may have it for as long as that takes. */
const TURN_MS = 590_000;

/** A zfs-fuse of a test. */
export interface ZfsDaemon {
  /** Ends it as a power cut would: nothing more is written, and what it has mounted fails. */
  kill(): Promise<void>;
  /** Starts it anew after `kill`; pools have to be imported. */
  start(): Promise<void>;
  /** Ends it and lets the next test have its turn. */
  close(): Promise<void>;
}

/**
 * Starts zfs-fuse when no other test has one.
 *
 * @param flags - Further words of its command line (zfs-fuse(8)).
 * @throws Error if one runs that is not of a test: its pools are somebody's
 */
export async function zfsDaemon(flags: readonly string[] = []): Promise<ZfsDaemon> {
  const release = await takeZfsTurn();
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const ended = child;
    child = undefined;
    if (ended === undefined) return;
    if (ended.exitCode === null && ended.signalCode === null) {
      const exited = once(ended, 'exit');
      ended.kill('SIGKILL');
      await exited;
    }
    rmSync(SOCKET, { force: true });
  };
  const start = async (): Promise<void> => {
    const [program, ...words] = PROGRAM;
    const args = [...words, '--no-daemon', '--no-kstat-mount', ...flags];
    child = spawn(program, args, { stdio: 'ignore' });
    await waitFor(answers, { what: 'zfs-fuse to listen' });
  };
  try {
    if (await answers()) throw new Error('a zfs-fuse runs here already: stop it, or skip the test');
    await start();
  } catch (error) {
    await kill();
    release();
    throw error;
  }
  const close = async (): Promise<void> => {
    await kill();
    release();
  };
  return { kill, start, close };
}

function answers(): Promise<boolean> {
  if (!existsSync(SOCKET)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(SOCKET);
    const answer = (heard: boolean) => (): void => {
      socket.destroy();
      resolve(heard);
    };
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
  });
}

let holders = 0;

/**
 * Waits until no other process runs a zfs-fuse of a test; `zfsDaemon` does it too. For a hook, which
 * may wait longer than a test.
 *
 * @returns How to let the next one have it.
 */
export async function takeZfsTurn(): Promise<() => void> {
  const path = join(tmpdir(), 'teu-zfs-fuse.turn');
  if (holders === 0) {
    await waitFor(() => createTurn(path), { timeoutMs: TURN_MS, intervalMs: 100, what: path });
  }
  holders += 1;
  return () => {
    holders -= 1;
    if (holders === 0) rmSync(path, { force: true });
  };
}

function createTurn(path: string): boolean {
  try {
    const file = openSync(path, 'wx');
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch {
    // Whoever had it may have been killed.
    if (!isAlive(Number(readFileSync(path, 'utf8')))) rmSync(path, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  // Empty for a moment while it is made.
  return pid === 0 || existsSync(`/proc/${pid}`);
}
