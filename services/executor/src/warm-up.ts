import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  DEFAULT_CAPABILITIES,
  DEFAULT_NAMESPACES,
  DEFAULT_READONLY_PATHS,
  defaultMaskedPaths,
} from '@teu/container-defaults';
import { encodeLaunchPlan, kernelFeatures } from '@teu/native';
import { LaunchContainerRequest, SeccompProfile } from '@teu/proto/executor';
import { planContainer } from './domain/plan/container-plan.js';

/** Rounds after which the compiler has done what it does; more gain nothing (0.44 → 0.30 ms a launch). */
const ROUNDS = 300;
const ROUNDS_PER_TURN = 10;

/** Does what the first launch would otherwise wait for: loads the addon, compiles the usual filter. */
export function prepareFirstLaunch(): void {
  kernelFeatures();
  planExample(exampleRequest());
}

/**
 * Plans a usual container some hundred times, so that the code on the way of a launch is compiled before the first one,
 * in short turns between which calls are served. Launches nothing.
 */
export async function warmUp(isClosing: () => boolean): Promise<void> {
  const request = exampleRequest();
  for (let round = 0; round < ROUNDS && !isClosing(); round += 1) {
    planExample(request);
    if (round % ROUNDS_PER_TURN === 0) await nextTurn();
  }
}

function planExample(request: Uint8Array): void {
  const { containerId, spec, logLimits } = LaunchContainerRequest.decode(request);
  const places = { directory: '/d', socketPath: '/s', mountPoint: '/m' };
  encodeLaunchPlan(planContainer(containerId, spec, logLimits, places, 'nowhere').plan);
}

function exampleRequest(): Uint8Array {
  const capabilities = [...DEFAULT_CAPABILITIES];
  const mount = { type: 'overlay', source: 'overlay', target: '', options: ['lowerdir=/l'] };
  const spec = {
    process: {
      args: ['/bin/true'],
      env: ['PATH=/bin'],
      cwd: '/',
      capabilities: {
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
        inheritable: [],
        ambient: [],
      },
    },
    root: { mounts: [mount], readonly: false },
    hostname: 'warm-up',
    linux: {
      namespaces: DEFAULT_NAMESPACES.map((type) => ({ type, path: '' })),
      seccomp: { profile: SeccompProfile.SECCOMP_PROFILE_DEFAULT },
      maskedPaths: [...defaultMaskedPaths()],
      readonlyPaths: [...DEFAULT_READONLY_PATHS],
    },
  };
  return LaunchContainerRequest.encode(
    LaunchContainerRequest.create({ containerId: '0'.repeat(64), spec }),
  ).finish();
}
