import type * as plan from './launch-plan.js';
import { PlanFieldWriter } from './plan-field-writer.js';

/** `TEUP` and `TEUE`, little endian; src/launch/plan_reader.cc reads the fields in the order written here. */
const MAGIC = 0x50554554;
const END_MAGIC = 0x45554554;
/** Grows with every change of the layout; addon and teu-init are built together, so there is no older reader. */
const PLAN_VERSION = 1;
const LENGTH_AT = 8;

const NAMESPACE_KINDS = ['host', 'new', 'path', 'target'] as const;
const NAMESPACE_ORDER = [
  'user',
  'pid',
  'mount',
  'uts',
  'ipc',
  'network',
  'cgroup',
  'time',
] as const;

/**
 * The flat binary form of a plan.
 * @throws TypeError naming the field (e.g. `plan.mounts[3].target must be a string, not undefined`).
 */
export function encodeLaunchPlan(value: plan.LaunchPlan): Buffer {
  const out = new PlanFieldWriter();
  out.bytes.u32(MAGIC);
  out.bytes.u32(PLAN_VERSION);
  out.bytes.u32(0);
  writeLaunch(out, 'plan', value);
  writeNamespaces(out, 'plan.namespaces', value.namespaces);
  writeMembership(out, 'plan', value);
  writeFileSystem(out, 'plan', value);
  writeKernelSettings(out, 'plan', value);
  writeProcess(out, 'plan.process', value.process);
  out.bytes.u32(END_MAGIC);
  out.bytes.patchU32(LENGTH_AT, out.bytes.length);
  return out.bytes.finish();
}

function writeLaunch(out: PlanFieldWriter, at: string, value: plan.LaunchPlan): void {
  if (!/^[a-z0-9_.-]{1,64}$/.test(value.id)) throw new TypeError(`${at}.id is malformed`);
  out.text(`${at}.id`, value.id);
  out.text(`${at}.directory`, value.directory);
  out.optional(`${at}.socketPath`, value.socketPath, (path, text) => out.text(path, text));
  out.flag(`${at}.hold`, value.hold);
  out.flag(`${at}.holdWorld`, value.holdWorld);
  out.u32(`${at}.log.maxFileBytes`, value.log.maxFileBytes);
}

function writeNamespaces(out: PlanFieldWriter, at: string, value: plan.NamespacesPlan): void {
  for (const name of NAMESPACE_ORDER) {
    const namespace = value[name] as plan.NamespacePlan | undefined;
    if (namespace === undefined) throw new TypeError(`${at}.${name} is missing`);
    out.choice(`${at}.${name}.kind`, namespace.kind, NAMESPACE_KINDS);
    out.text(`${at}.${name}.path`, namespace.kind === 'path' ? namespace.path : '');
  }
}

function writeMembership(out: PlanFieldWriter, at: string, value: plan.LaunchPlan): void {
  out.optional(`${at}.target`, value.target, (path, target) => {
    out.u32(`${path}.pid`, target.pid);
    out.u64(`${path}.startTicks`, target.startTicks);
  });
  out.optional(`${at}.idMappings`, value.idMappings, (path, mappings) => {
    writeIdMappings(out, `${path}.uid`, mappings.uid);
    writeIdMappings(out, `${path}.gid`, mappings.gid);
  });
  out.optional(`${at}.timeOffsets`, value.timeOffsets, (path, offsets) => {
    out.i64(`${path}.monotonicNs`, offsets.monotonicNs);
    out.i64(`${path}.boottimeNs`, offsets.boottimeNs);
  });
  out.texts(`${at}.cgroup.v1TasksFiles`, value.cgroup.v1TasksFiles);
  out.optional(`${at}.cgroup.v2Directory`, value.cgroup.v2Directory, (path, text) =>
    out.text(path, text),
  );
}

function writeIdMappings(out: PlanFieldWriter, at: string, mappings: plan.IdMapping[]): void {
  out.list(at, mappings, (path, mapping) => {
    out.u32(`${path}.containerId`, mapping.containerId);
    out.u32(`${path}.hostId`, mapping.hostId);
    out.u32(`${path}.size`, mapping.size);
  });
}

function writeFileSystem(out: PlanFieldWriter, at: string, value: plan.LaunchPlan): void {
  out.optional(`${at}.rootfs`, value.rootfs, (path, rootfs) => writeRootfs(out, path, rootfs));
  out.list(`${at}.mounts`, value.mounts, (path, mount) => {
    writeStorageMount(out, path, mount);
    out.u32(`${path}.propagation`, mount.propagation);
  });
  out.list(`${at}.devices`, value.devices, (path, device) => writeDevice(out, path, device));
  out.list(`${at}.links`, value.links, (path, link) => {
    out.text(`${path}.path`, link.path);
    out.text(`${path}.target`, link.target);
  });
  out.texts(`${at}.maskedPaths`, value.maskedPaths);
  out.texts(`${at}.readonlyPaths`, value.readonlyPaths);
}

function writeRootfs(out: PlanFieldWriter, at: string, value: plan.RootfsPlan): void {
  out.text(`${at}.path`, value.path);
  out.list(`${at}.mounts`, value.mounts, (path, mount) => writeStorageMount(out, path, mount));
  out.flag(`${at}.readonly`, value.readonly);
  out.u32(`${at}.propagation`, value.propagation);
}

function writeStorageMount(out: PlanFieldWriter, at: string, value: plan.StorageMount): void {
  out.text(`${at}.type`, value.type);
  out.text(`${at}.source`, value.source);
  out.text(`${at}.target`, value.target);
  out.u32(`${at}.flags`, value.flags);
  out.text(`${at}.data`, value.data);
}

function writeDevice(out: PlanFieldWriter, at: string, value: plan.DevicePlan): void {
  out.text(`${at}.path`, value.path);
  out.choice(`${at}.type`, value.type, ['c', 'b', 'p']);
  out.u32(`${at}.major`, value.major);
  out.u32(`${at}.minor`, value.minor);
  out.u32(`${at}.mode`, value.mode);
  out.u32(`${at}.uid`, value.uid);
  out.u32(`${at}.gid`, value.gid);
}

function writeKernelSettings(out: PlanFieldWriter, at: string, value: plan.LaunchPlan): void {
  out.optional(`${at}.hostname`, value.hostname, (path, text) => out.text(path, text));
  out.optional(`${at}.domainname`, value.domainname, (path, text) => out.text(path, text));
  out.list(`${at}.sysctl`, value.sysctl, (path, entry) => {
    out.text(`${path}.key`, entry.key);
    out.text(`${path}.value`, entry.value);
  });
}

function writeProcess(out: PlanFieldWriter, at: string, value: plan.ProcessPlan): void {
  out.texts(`${at}.argv`, value.argv);
  out.texts(`${at}.env`, value.env);
  out.text(`${at}.cwd`, value.cwd);
  writeUser(out, `${at}.user`, value.user);
  for (const set of ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const) {
    out.u64(`${at}.capabilities.${set}`, value.capabilities[set]);
  }
  out.flag(`${at}.noNewPrivileges`, value.noNewPrivileges);
  out.optional(`${at}.seccomp`, value.seccomp, (path, seccomp) => {
    out.u32(`${path}.flags`, seccomp.flags);
    out.blob(`${path}.filter`, seccomp.filter);
  });
  out.list(`${at}.rlimits`, value.rlimits, (path, limit) => {
    out.u32(`${path}.resource`, limit.resource);
    out.u64(`${path}.soft`, limit.soft);
    out.u64(`${path}.hard`, limit.hard);
  });
  out.optional(`${at}.oomScoreAdj`, value.oomScoreAdj, (path, score) => out.i32(path, score));
  out.optional(`${at}.umask`, value.umask, (path, mask) => out.u32(path, mask));
  if ((value.personality as unknown) !== null)
    throw new TypeError(`${at}.personality must be null`);
  out.optional(`${at}.terminal`, value.terminal, (path, size) => {
    out.u32(`${path}.rows`, size.rows);
    out.u32(`${path}.columns`, size.columns);
  });
  out.choice(`${at}.stdin`, value.stdin, ['null', 'pipe', 'pipe-once']);
}

function writeUser(out: PlanFieldWriter, at: string, value: plan.UserPlan): void {
  out.choice(`${at}.kind`, value.kind, ['ids', 'name']);
  out.u32(`${at}.uid`, value.kind === 'ids' ? value.uid : 0);
  out.u32(`${at}.gid`, value.kind === 'ids' ? value.gid : 0);
  out.text(`${at}.name`, value.kind === 'name' ? value.name : '');
  out.list(`${at}.additionalGids`, value.additionalGids, (path, gid) => out.u32(path, gid));
}
