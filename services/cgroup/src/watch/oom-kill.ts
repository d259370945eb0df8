import { OomKill, OomLimit, OomScope } from '@teu/proto/type';
import { locate, type Place } from './locate.js';
import type { OomReport } from './told.js';

/** A kill and whose process it was. */
export interface LocatedKill {
  readonly place: Place;
  readonly kill: OomKill;
}

const KIBIBYTE = 1024;
/** A counter without a limit is given one that no machine has. */
const NO_LIMIT_KIB = 2 ** 43;

/**
 * Says in the terms of the API what the kernel reported.
 *
 * @returns Undefined for a kill outside of the engine's groups.
 */
export function locateKill(report: OomReport, enginePath: string): LocatedKill | undefined {
  const place = locate(report.taskGroup, enginePath);
  if (place === undefined) return undefined;
  return {
    place,
    kill: OomKill.create({
      killTime: report.time,
      ...scopeOf(report, place, enginePath),
      ...(report.constraint === 'MEMCG' ? limitOf(report) : {}),
      pid: report.pid,
      processName: report.comm,
      uid: report.uid,
      anonymousBytes: report.anonymous * KIBIBYTE,
      fileBytes: report.file * KIBIBYTE,
      sharedBytes: report.shared * KIBIBYTE,
      oomScoreAdj: report.score,
      containerId: place.containerId,
    }),
  };
}

function scopeOf(
  { constraint, limitGroup }: OomReport,
  { containerId }: Place,
  enginePath: string,
): Pick<OomKill, 'scope' | 'group'> {
  const { OOM_SCOPE_HOST, OOM_SCOPE_GROUP, OOM_SCOPE_NESTED, OOM_SCOPE_CONTAINER } = OomScope;
  if (constraint !== 'MEMCG') return { scope: OOM_SCOPE_HOST, group: '' };
  const limited = locate(limitGroup, enginePath);
  // Above all groups of the engine; the slash before it tells that it is none of them.
  if (limited === undefined) return { scope: OOM_SCOPE_GROUP, group: limitGroup };
  if (limited.nested !== '') return { scope: OOM_SCOPE_NESTED, group: limited.nested };
  if (limited.containerId === containerId && containerId !== '') {
    return { scope: OOM_SCOPE_CONTAINER, group: '' };
  }
  return { scope: OOM_SCOPE_GROUP, group: limited.group };
}

/** Of two limits the one that is used up more; where both are alike, memory. */
function limitOf({
  memory,
  memoryAndSwap,
}: OomReport): Pick<OomKill, 'limit' | 'limitBytes' | 'usageBytes'> {
  const left = ({ usage, limit }: OomReport['memory']): number =>
    limit === 0 || limit >= NO_LIMIT_KIB ? Infinity : limit - usage;
  const { OOM_LIMIT_MEMORY, OOM_LIMIT_MEMORY_AND_SWAP, OOM_LIMIT_UNSPECIFIED } = OomLimit;
  const isMemory = left(memory) <= left(memoryAndSwap);
  const reached = isMemory ? memory : memoryAndSwap;
  if (left(reached) === Infinity) {
    return { limit: OOM_LIMIT_UNSPECIFIED, limitBytes: 0, usageBytes: 0 };
  }
  return {
    limit: isMemory ? OOM_LIMIT_MEMORY : OOM_LIMIT_MEMORY_AND_SWAP,
    limitBytes: reached.limit * KIBIBYTE,
    usageBytes: reached.usage * KIBIBYTE,
  };
}
