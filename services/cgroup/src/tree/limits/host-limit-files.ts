import { hierarchyOf, type CgroupHost, type Hierarchy } from '../../domain/host.js';
import { V1_LIMIT_FILES, V2_LIMIT_FILES, type LimitFile } from '../../domain/limit-files.js';
import type { LimitName, Limits } from '../../domain/limits.js';
import { readIfThere } from '../group-files.js';

/** A file of a limit that this host has, and where. */
export interface HostLimitFile extends LimitFile {
  readonly hierarchy: Hierarchy;
}

/**
 * Finds the files of limits. The engine's own group has every file that a container's group will have; of several
 * for the same limit the first is used.
 *
 * @param groupPath - Of the engine's groups, relative to the root of each hierarchy.
 */
export function findLimitFiles(host: CgroupHost, groupPath: string): HostLimitFile[] {
  const found: HostLimitFile[] = [];
  for (const [version, table] of [
    [1, V1_LIMIT_FILES],
    [2, V2_LIMIT_FILES],
  ] as const) {
    for (const limitFile of table) {
      const hierarchy = hierarchyOf(host, limitFile.controller);
      if (hierarchy?.version !== version) continue;
      const text = readIfThere(`${hierarchy.mountPath}/${groupPath}/${limitFile.file}`);
      const known = found.some(({ limits }) => limits.some((x) => limitFile.limits.includes(x)));
      if (text === undefined || known) continue;
      found.push({ ...(limitFile.chosen ? choosing(limitFile, text) : limitFile), hierarchy });
    }
  }
  return found;
}

/**
 * Takes -1 for what a new group has by itself, which is what the engine's own group has. The text counts and not
 * what it means: of two texts that mean the same only one does.
 */
function choosing(limitFile: LimitFile, text: string): LimitFile {
  const name = limitFile.limits[0] as LimitName;
  const initial = numberIn(text);
  return {
    ...limitFile,
    format: (limits: Limits) => (limits[name] === -1 ? initial : limitFile.format(limits)),
    parse: (line, before) =>
      numberIn(line) === initial ? { [name]: -1 } : limitFile.parse(line, before),
  };
}

/** The number of "100", or of "default 100" with lines for single devices after it. */
function numberIn(text: string): string {
  return /^(?:default )?(\d+)/.exec(text)?.[1] ?? '';
}
