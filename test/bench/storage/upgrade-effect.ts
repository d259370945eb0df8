import {
  BaseServiceService,
  ContainerSpec,
  EngineServiceService,
  ExecContainerRequest,
  ExecSpec,
  RebaseState,
  RunContainerRequest,
  StopContainerRequest,
} from '@teu/proto/engine';
import type { RpcChannel } from '@teu/rpc';
import { startTeu } from '@teu/testing';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../harness/process.js';
import { table } from '../harness/statistics.js';
import { makeArchive } from './archive.js';

const OLD = 'bench/base:1';
const NEW = 'bench/base:2';
/** What the new base has and the old one has not. */
const PATCHED = 'etc/patched';
const TIMEOUT_MS = 20 * 60_000;

/** A storage driver that a whole engine is started on. */
export interface UpgradeSubject {
  readonly driver: string;
  /** Directory on the file system that the driver wants. */
  readonly dataDir: string;
  /** Environment for the driver. */
  readonly env?: Readonly<Record<string, string>>;
  readonly containers: number;
}

/** The two bases as archives: a Debian root, and the same with one more layer. */
export interface UpgradeArchives {
  readonly oldBase: string;
  readonly newBase: string;
}

/** Makes the archives of both bases. */
export async function makeBases(rootfsTar: string, directory: string): Promise<UpgradeArchives> {
  const patch = join(directory, 'patch');
  mkdirSync(join(patch, 'etc'), { recursive: true });
  writeFileSync(join(patch, PATCHED), 'yes\n');
  const layer = join(directory, 'patch.tar');
  capture('tar', ['-cf', layer, '-C', patch, PATCHED]);
  return {
    oldBase: await makeArchive(join(directory, 'old'), OLD, [rootfsTar]),
    newBase: await makeArchive(join(directory, 'new'), NEW, [rootfsTar, layer]),
  };
}

/** How long the upgrade of all containers of a driver took. */
export interface UpgradeFigure {
  readonly driver: string;
  readonly containers: number;
  /** Containers that had the new base without a restart. */
  readonly live: number;
  /** From the request to the answer, in milliseconds. */
  readonly upgradeMs: number;
  /** From the request until a program in each container has seen the new base. */
  readonly effectMs: number;
}

/**
 * Times the upgrade of a base under running containers, each of which has written something, until a
 * program in each has read a file of the new base; where the driver cannot change what is mounted, after
 * a restart of the container.
 */
export async function measureUpgrade(
  { driver, dataDir, env = {}, containers }: UpgradeSubject,
  archives: UpgradeArchives,
): Promise<UpgradeFigure> {
  const args = ['--storage-driver', driver];
  const teu = await startTeu({ args, env: { ...env, TEU_DATA_DIR: dataDir } });
  try {
    for (const archive of [archives.oldBase, archives.newBase]) {
      const { code, stderr } = await teu.teu(['load', '-i', archive], { timeoutMs: TIMEOUT_MS });
      if (code !== 0) throw new Error(`teu load: ${stderr}`);
    }
    const engine = teu.channel('engine');
    const names = Array.from({ length: containers }, (_, index) => `c${index}`);
    for (const name of names) await runContainer(engine, name);
    const begin = performance.now();
    const waiting = await upgrade(engine);
    const upgradeMs = performance.now() - begin;
    for (const name of names) {
      if (waiting.has(name)) await restart(engine, name);
      await expectPatched(engine, name);
    }
    const effectMs = performance.now() - begin;
    return { driver, containers, live: containers - waiting.size, upgradeMs, effectMs };
  } finally {
    await teu.stop();
  }
}

/** The table to print. */
export function upgradeTable(figures: readonly UpgradeFigure[]): string {
  const rows = figures.map(({ driver, containers, live, upgradeMs, effectMs }) => [
    driver,
    String(containers),
    String(live),
    upgradeMs.toFixed(0),
    effectMs.toFixed(0),
    (effectMs / containers).toFixed(1),
  ]);
  const head = ['containers', 'without restart', 'answer ms', 'in effect in all ms', 'each ms'];
  return table([['upgrade of a base', ...head], ...rows]);
}

async function runContainer(engine: RpcChannel, name: string): Promise<void> {
  const script = 'echo own > /etc/own; exec sleep 1000000';
  const spec = ContainerSpec.create({ image: OLD, name, args: ['sh', '-c', script] });
  const request = RunContainerRequest.create({ spec });
  await engine.unary(EngineServiceService.runContainer, request, { timeoutMs: TIMEOUT_MS });
}

/** Returns the names of the containers that wait for their next start. @throws if one failed */
async function upgrade(engine: RpcChannel): Promise<Set<string>> {
  const waiting = new Set<string>();
  const request = { oldBase: OLD, newBase: NEW };
  for await (const { step } of engine.serverStream(BaseServiceService.upgradeBase, request, {
    timeoutMs: TIMEOUT_MS,
  })) {
    if (step?.part?.$case !== 'container') continue;
    const { name, state, detail } = step.part.value;
    if (detail !== '') throw new Error(`container ${name} was not upgraded: ${detail}`);
    if (state === RebaseState.REBASE_STATE_SCHEDULED) waiting.add(name);
  }
  return waiting;
}

async function restart(engine: RpcChannel, container: string): Promise<void> {
  const timeoutDuration = { seconds: 0, nanos: 0 };
  const stop = StopContainerRequest.create({ container, timeoutDuration });
  await engine.unary(EngineServiceService.stopContainer, stop, { timeoutMs: TIMEOUT_MS });
  const options = { timeoutMs: TIMEOUT_MS };
  await engine.unary(EngineServiceService.startContainer, { container }, options);
}

/** @throws if a program in the container does not see the new base, or misses what it wrote itself */
async function expectPatched(engine: RpcChannel, container: string): Promise<void> {
  const spec = ExecSpec.create({ args: ['cat', `/${PATCHED}`, '/etc/own'] });
  const request = ExecContainerRequest.create({ container, spec, wait: true });
  const { stdout, stderr } = await engine.unary(EngineServiceService.execContainer, request);
  const text = Buffer.from(stdout).toString();
  if (text === 'yes\nown\n') return;
  throw new Error(`container ${container} shows ${text}${Buffer.from(stderr).toString()}`);
}
