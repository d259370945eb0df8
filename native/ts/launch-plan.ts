/**
 * The launch plan: everything that teu-init has to know to start one process, as plain data.
 *
 * Every field is present. `null` means "absent"; `undefined` is refused with the field's path, because a forgotten
 * security field must never read as "weaker". The names follow the OCI runtime spec's Linux part, so that a
 * config.json maps one to one. Policy (allow-lists, defaults) belongs to the caller; the native side checks form.
 */
export interface LaunchPlan {
  /** Shown in the supervisor's process title. At most 64 characters of `[a-z0-9_.-]`. */
  id: string;
  /** Host directory (exists, absolute) that gets `pid`, `log`, `log.1` and `exit`. One per launch, never reused. */
  directory: string;
  /** Host path (absolute, < 108 bytes) of the socket that the supervisor listens on, or null for none. */
  socketPath: string | null;
  /** OCI "created": set everything up, then wait for `start()` before the program is executed. */
  hold: boolean;
  /**
   * For a container made in advance: wait earlier, once namespaces, cgroup, root and mounts are there, and for a plan
   * of its own that says what the program is (`startPlanned()`). Of that second plan `process`, `hostname`,
   * `domainname`, `sysctl` and `rootfs.readonly` count. Without terminal or input in both.
   */
  holdWorld: boolean;
  log: LogPlan;
  namespaces: NamespacesPlan;
  /** The process whose namespaces every `{ kind: 'target' }` joins; null if there is none. */
  target: ProcessIdentity | null;
  /** Only with `namespaces.user: new`. */
  idMappings: { uid: IdMapping[]; gid: IdMapping[] } | null;
  /** Only with `namespaces.time: new`. Offsets in nanoseconds. */
  timeOffsets: { monotonicNs: bigint; boottimeNs: bigint } | null;
  cgroup: CgroupPlan;
  /** The root file system; null exactly when the mount namespace is joined. */
  rootfs: RootfsPlan | null;
  /** In order, after the root. */
  mounts: MountPlan[];
  devices: DevicePlan[];
  /** Symbolic links made after the mounts (for instance /dev/fd). */
  links: { path: string; target: string }[];
  /** Files (including the engine's hostname, hosts, resolv.conf) are mounts; these are masked or made read-only. */
  maskedPaths: string[];
  readonlyPaths: string[];
  hostname: string | null;
  domainname: string | null;
  /** Written through a private procfs, e.g. `{ key: 'net.ipv4.ip_forward', value: '1' }`. */
  sysctl: { key: string; value: string }[];
  process: ProcessPlan;
}

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  startTicks: bigint;
}

export interface LogPlan {
  /** Upper limit of each of the two files `log` and `log.1`, in bytes; at least 64 KiB. */
  maxFileBytes: number;
}

/**
 * - `host`: stay in the supervisor's namespace.
 * - `new`: a fresh one.
 * - `path`: join the namespace file at this host path (e.g. a bind-mounted netns).
 * - `target`: join that of `LaunchPlan.target`.
 */
export type NamespacePlan =
  { kind: 'host' } | { kind: 'new' } | { kind: 'path'; path: string } | { kind: 'target' };

/** `mount` is `new` (a container) or `target` (an exec); the native side refuses the others. */
export interface NamespacesPlan {
  user: NamespacePlan;
  pid: NamespacePlan;
  mount: NamespacePlan;
  uts: NamespacePlan;
  ipc: NamespacePlan;
  network: NamespacePlan;
  cgroup: NamespacePlan;
  time: NamespacePlan;
}

export interface IdMapping {
  containerId: number;
  hostId: number;
  size: number;
}

export interface CgroupPlan {
  /** v1: host paths of `tasks` files; the process joins by writing `0` to each. */
  v1TasksFiles: string[];
  /** v2: host directory of the cgroup that the process is born in, or null. */
  v2Directory: string | null;
}

export interface RootfsPlan {
  /** Host directory: the mount point for `mounts`, or the root itself if `mounts` is empty. */
  path: string;
  /** As returned by the storage driver; made in the container's mount namespace only. */
  mounts: StorageMount[];
  readonly: boolean;
  /** MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE, with or without MS_REC; 0 = MS_SLAVE|MS_REC. */
  propagation: number;
}

/** One mount as a storage driver hands it out, on the root's path or, if `target` is not '', below it. */
export interface StorageMount {
  type: string;
  source: string;
  target: string;
  /** MS_* flags of mount(2). */
  flags: number;
  /** File system options, comma-separated. */
  data: string;
}

export interface MountPlan {
  /** `bind` or a file system type. `cgroup`/`cgroup2` are mounted inside the new cgroup namespace. */
  type: string;
  /** Host path for `bind`; otherwise the device or name. */
  source: string;
  /** Absolute path in the container; resolved in the root, made if absent. */
  target: string;
  /** MS_* flags of mount(2): MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_*ATIME, MS_BIND, MS_REC. */
  flags: number;
  /** MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE, with or without MS_REC; 0 = leave. */
  propagation: number;
  /** File system options, comma-separated `key=value` or `key`; '' for none. */
  data: string;
}

export interface DevicePlan {
  /** Absolute path in the container. */
  path: string;
  type: 'c' | 'b' | 'p';
  major: number;
  minor: number;
  /** Permission bits, e.g. 0o666. */
  mode: number;
  uid: number;
  gid: number;
}

export interface ProcessPlan {
  /** At least one; `argv[0]` without a slash is searched in the PATH of `env`, inside the root. */
  argv: string[];
  /** `KEY=value` strings. */
  env: string[];
  /** Absolute path in the container. Made (0755) if absent, unless the mount namespace is joined. */
  cwd: string;
  user: UserPlan;
  capabilities: CapabilitiesPlan;
  noNewPrivileges: boolean;
  seccomp: SeccompPlan | null;
  rlimits: RlimitPlan[];
  /** -1000..1000, or null to inherit. */
  oomScoreAdj: number | null;
  /** Permission bits masked, or null for 0o022. */
  umask: number | null;
  /** OCI `process.personality`: always null; a request for another domain is refused by the caller. */
  personality: null;
  /** A terminal with this size, or null for pipes. */
  terminal: { rows: number; columns: number } | null;
  /** `null`: /dev/null. `pipe`: written with `writeStdin`; `pipe-once`: closed when its first owner goes away. */
  stdin: 'null' | 'pipe' | 'pipe-once';
}

/**
 * - `ids`: taken as they are.
 * - `name`: `user[:group]` as in an image's USER, looked up in the container's own /etc/passwd and /etc/group inside
 *   the root. What looks like a number is never a name; the range is 0..2^31-1.
 */
export type UserPlan =
  | { kind: 'ids'; uid: number; gid: number; additionalGids: number[] }
  | { kind: 'name'; name: string; additionalGids: number[] };

/** Bit N of a mask is capability N of linux/capability.h. All empty unless asked. */
export interface CapabilitiesPlan {
  bounding: bigint;
  effective: bigint;
  permitted: bigint;
  inheritable: bigint;
  ambient: bigint;
}

export interface SeccompPlan {
  /** An array of `struct sock_filter` (8 bytes each, native byte order), at most 4096 of them. */
  filter: Uint8Array;
  /** SECCOMP_FILTER_FLAG_* (TSYNC and NEW_LISTENER are refused). */
  flags: number;
}

export interface RlimitPlan {
  /** RLIMIT_* number of asm/resource.h, 0..15. */
  resource: number;
  /** `2n ** 64n - 1n` is unlimited. */
  soft: bigint;
  hard: bigint;
}
