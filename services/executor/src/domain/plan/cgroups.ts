import type { CgroupPlan } from '@teu/native';
import type { Cgroups } from '@teu/proto/executor';
import { checkAbsolutePath } from './check-text.js';
import { specError } from './spec-error.js';

/** How the process joins its cgroup. */
export function planCgroups(cgroups: Cgroups | undefined, field: string): CgroupPlan {
  const v1TasksFiles = (cgroups?.v1TasksPaths ?? []).map((path, index) => {
    const at = `${field}.v1_tasks_paths[${index}]`;
    // A write of "0" to anything else would not be a join.
    if (!path.endsWith('/tasks')) throw specError(at, 'is not a tasks file');
    return checkAbsolutePath(path, at);
  });
  const directory = cgroups?.v2Directory ?? '';
  return {
    v1TasksFiles,
    v2Directory: directory === '' ? null : checkAbsolutePath(directory, `${field}.v2_directory`),
  };
}
