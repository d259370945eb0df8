import {
  DEFAULT_CAPABILITIES,
  DEFAULT_NAMESPACES,
  DEFAULT_READONLY_PATHS,
  defaultMaskedPaths,
} from '@teu/container-defaults';
import { Process, SeccompProfile, Spec } from '@teu/proto/executor';

/** A process as the engine asks for it: Docker's capabilities, root, PATH. */
export function exampleProcess(args: string[], changes: Partial<Process> = {}): Process {
  const set = [...DEFAULT_CAPABILITIES];
  return {
    ...Process.create({
      args,
      env: ['PATH=/bin'],
      cwd: '/',
      capabilities: { bounding: set, effective: set, permitted: set },
    }),
    ...changes,
  };
}

/** A container as the engine asks for it, on a directory as its root. */
export function exampleSpec(
  rootDirectory: string,
  args: string[],
  changes: Partial<Process> = {},
): Spec {
  return Spec.create({
    process: exampleProcess(args, changes),
    root: {
      mounts: [{ type: 'bind', source: rootDirectory, target: '', options: ['rbind', 'rw'] }],
    },
    hostname: 'example',
    linux: {
      namespaces: DEFAULT_NAMESPACES.map((type) => ({ type, path: '' })),
      seccomp: { profile: SeccompProfile.SECCOMP_PROFILE_DEFAULT },
      maskedPaths: [...defaultMaskedPaths()],
      readonlyPaths: [...DEFAULT_READONLY_PATHS],
    },
  });
}
