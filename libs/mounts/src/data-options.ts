import { hasControlCharacters } from '@teu/ids';

const CGROUP_V1 =
  'all none name clone_children noprefix xattr cpuset cpu cpuacct blkio memory devices freezer net_cls perf_event net_prio hugetlb pids rdma misc';

/** Option names that a type takes (Documentation/filesystems, tmpfs(5), proc(5), cgroups(7)). */
const NAMES: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    bind: '',
    overlay:
      'lowerdir lowerdir+ datadir+ upperdir workdir index redirect_dir metacopy xino nfs_export userxattr volatile uuid verity default_permissions',
    tmpfs:
      'size nr_blocks nr_inodes mode uid gid huge mpol inode32 inode64 noswap usrquota grpquota usrquota_block_hardlimit usrquota_inode_hardlimit grpquota_block_hardlimit grpquota_inode_hardlimit',
    proc: 'hidepid gid subset',
    sysfs: '',
    devpts: 'newinstance ptmxmode mode uid gid max',
    mqueue: '',
    cgroup: CGROUP_V1,
    cgroup2:
      'nsdelegate favordynmods memory_localevents memory_recursiveprot memory_hugetlb_accounting pids_localevents',
  }).map(([type, names]) => [type, new Set(names.split(' ').filter((name) => name !== ''))]),
);

/** AUFS' options about branches have a path behind a colon (aufs(5)); more than one behind "br". */
const AUFS_BRANCH = /^(?:br|append|prepend|mod|del|(?:add|ins):[0-9]{1,4}):\/./;

const NAME = /^[a-zA-Z0-9_][a-zA-Z0-9_.+:-]{0,63}$/;

/**
 * True if the type takes the option. Kernel file systems take listed names only; types that live on a
 * device, aufs, and fuse, any name of letters, digits and `_.+:-`. An option is one option: a comma in it
 * has to be escaped, as overlayfs does in paths, or it would smuggle in a second one.
 */
export function checkDataOption(type: string, option: string): boolean {
  if (hasControlCharacters(option) || /(?<!\\)(?:\\\\)*,/.test(option)) return false;
  if (type === 'aufs' && AUFS_BRANCH.test(option)) return true;
  const equals = option.indexOf('=');
  const name = equals < 0 ? option : option.slice(0, equals);
  if (!NAME.test(name)) return false;
  return NAMES.get(type)?.has(name) ?? true;
}
