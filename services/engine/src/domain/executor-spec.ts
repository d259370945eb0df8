import {
  DEFAULT_CAPABILITIES,
  DEFAULT_NAMESPACES,
  DEFAULT_READONLY_PATHS,
  defaultMaskedPaths,
} from '@teu/container-defaults';
import type { CgroupMembership } from '@teu/proto/cgroup';
import { NetworkMode, type Container, type ContainerSpec, type ExecSpec } from '@teu/proto/engine';
import {
  NamespaceType,
  Process,
  SeccompProfile,
  Spec,
  type Cgroups,
  type LinuxNamespace,
  type SpecMount,
} from '@teu/proto/executor';
import type { Mount } from '@teu/proto/snapshots';
import { DEFAULT_PATH } from './defaults.js';
import { deviceNodes } from './host-devices.js';
import { mergeEnvironment } from './image-defaults.js';

/** What the parts of a start contribute to the spec. */
export interface LaunchParts {
  /** Mounts of the writable layer, as the storage driver returned them. */
  rootMounts: Mount[];
  /** How to join the cgroup, as the cgroup service said. */
  membership: CgroupMembership | undefined;
  /** Binds of the files that the engine writes for the container. */
  fileMounts: SpecMount[];
}

/** Builds what the executor runs from a container whose defaults are filled in. */
export function buildExecutorSpec(container: Container, parts: LaunchParts): Spec {
  const spec = requireSpec(container);
  const hostname = containerHostname(container);
  return Spec.create({
    process: {
      ...processDefaults(),
      terminal: spec.terminal,
      stdinOpen: spec.stdinOpen,
      user: { username: spec.user },
      args: [...(spec.entrypoint?.values ?? []), ...spec.args],
      env: processEnvironment(spec, hostname, []),
      cwd: spec.workingDir,
      oomScoreAdj: spec.oomScoreAdj,
    },
    root: { mounts: parts.rootMounts, readonly: spec.readOnly },
    hostname,
    mounts: parts.fileMounts,
    linux: {
      namespaces: namespacesFor(spec.network),
      devices: deviceNodes(spec),
      cgroups: joinCgroup(parts.membership),
      seccomp: { profile: SeccompProfile.SECCOMP_PROFILE_DEFAULT },
      maskedPaths: [...defaultMaskedPaths()],
      readonlyPaths: [...DEFAULT_READONLY_PATHS],
    },
  });
}

/** Builds another program of a container: like the first one where the client says nothing. */
export function buildExecProcess(container: Container, exec: ExecSpec): Process {
  const spec = requireSpec(container);
  return Process.create({
    ...processDefaults(),
    terminal: exec.terminal,
    consoleSize: exec.consoleSize,
    stdinOpen: exec.stdinOpen,
    user: { username: exec.user || spec.user },
    args: exec.args,
    env: processEnvironment(
      { ...spec, terminal: exec.terminal },
      containerHostname(container),
      exec.env,
    ),
    cwd: exec.workingDir || spec.workingDir,
  });
}

/** Host name of a container: what was asked for, or the beginning of its id. */
export function containerHostname(container: Container): string {
  return requireSpec(container).hostname || container.id.slice(0, 12);
}

/** A stored container always has its spec; the protocol can't say so. */
export function requireSpec(container: Container): ContainerSpec {
  if (container.spec === undefined) throw new Error(`container ${container.id} has no spec`);
  return container.spec;
}

function processDefaults() {
  const set = [...DEFAULT_CAPABILITIES];
  return { capabilities: { bounding: set, effective: set, permitted: set } };
}

function processEnvironment(spec: ContainerSpec, hostname: string, more: string[]): string[] {
  const own = [DEFAULT_PATH, `HOSTNAME=${hostname}`, ...(spec.terminal ? ['TERM=xterm'] : [])];
  return mergeEnvironment(own, spec.env, more);
}

function namespacesFor(network: NetworkMode): LinuxNamespace[] {
  const shared =
    network === NetworkMode.NETWORK_MODE_HOST ? NamespaceType.NAMESPACE_TYPE_NETWORK : undefined;
  return DEFAULT_NAMESPACES.filter((type) => type !== shared).map((type) => ({ type, path: '' }));
}

function joinCgroup(membership: CgroupMembership | undefined): Cgroups | undefined {
  if (membership === undefined) return undefined;
  return {
    v1TasksPaths: membership.v1TasksPaths,
    v2Directory: membership.v2Directory,
    mounts: membership.mounts.map((mount) => ({
      destination: mount.name === '' ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${mount.name}`,
      type: mount.type,
      source: mount.type,
      options: ['ro', 'nosuid', 'nodev', 'noexec', ...(mount.data === '' ? [] : [mount.data])],
    })),
  };
}
