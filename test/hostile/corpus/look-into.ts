import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { SnapshotsService, type Mount } from '@teu/proto/snapshots';
import type { RpcChannel } from '@teu/rpc';
import { runProgram } from '@teu/testing';

/**
 * Runs a shell command in a look at a committed snapshot, and gives what it prints. In a mount namespace of its own, so that
 * nothing stays mounted whatever happens.
 * @param target directories are made with this name and the driver's behind it
 */
export async function lookInto(
  channel: RpcChannel,
  snapshotter: string,
  parent: string,
  target: string,
  command: string,
): Promise<string> {
  const key = `view/${randomUUID()}`;
  const request = { snapshotter, key, parent, labels: {} };
  const { mounts } = await channel.unary(SnapshotsService.view, request);
  const place = `${target}-${snapshotter}`;
  mkdirSync(place, { recursive: true });
  const steps = mounts.map((mount) => mountCommand(mount, place));
  const script = [...steps, `cd '${place}'`, command].join(' && ');
  const ran = await runProgram('unshare', ['--mount', 'sh', '-c', script]);
  await channel.unary(SnapshotsService.remove, { snapshotter, key });
  if (ran.code !== 0) throw new Error(`${script}: ${ran.stderr}`);
  return ran.stdout;
}

function mountCommand({ type, source, options }: Mount, target: string): string {
  const isBind = options.includes('bind') || options.includes('rbind');
  const data = options.filter((option) => option !== 'bind' && option !== 'rbind').join(',');
  const kind = isBind ? '--rbind' : `-t ${type}${data === '' ? '' : ` -o '${data}'`}`;
  return `mount ${kind} '${source}' '${target}'`;
}
