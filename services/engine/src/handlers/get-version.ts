import { release } from 'node:os';
import { arch, platform } from 'node:process';
import type { GetVersionResponse, ServiceVersion } from '@teu/proto/engine';
import { checkHealth, type RpcChannel } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';

/** Newest version of the API in proto/. */
const API_VERSION = 'v1';
const HEALTH_TIMEOUT_MS = 1_000;
/** Names of architectures as OCI images have them, where Node's differ. */
const OCI_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** Tells the versions of the engine and of the services behind it. */
export const getVersionHandler = (engine: Engine) => async (): Promise<GetVersionResponse> => ({
  version: engine.version,
  apiVersion: API_VERSION,
  kernelRelease: release(),
  platform: `${platform}/${OCI_ARCHITECTURES[arch] ?? arch}`,
  services: await Promise.all([...engine.peers.all(), ...driversOf(engine)].map(describe)),
});

interface Service {
  name: string;
  address: string;
  channel: RpcChannel;
}

function driversOf({ drivers }: Engine): Service[] {
  return drivers
    .clients()
    .map(({ name, address: { address }, channel }) => ({ name, address, channel }));
}

async function describe({ name, address, channel }: Service): Promise<ServiceVersion> {
  try {
    const health = await checkHealth(channel, '', { timeoutMs: HEALTH_TIMEOUT_MS });
    return { name, address, reachable: true, health };
  } catch {
    return { name, address, reachable: false, health: '' };
  }
}
