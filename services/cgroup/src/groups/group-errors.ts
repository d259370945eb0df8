import { teuError } from '@teu/errors';

/** The error for a group that is not there. */
export function groupNotFound(name: string): Error {
  return teuError('GROUP_NOT_FOUND', `there is no group "${name}"`, { metadata: { group: name } });
}

/** The error for a name that is taken. */
export function groupExists(name: string): Error {
  const text = `group "${name}" exists already, with other limits or labels`;
  return teuError('GROUP_EXISTS', text, { metadata: { group: name } });
}

/** The error for a program that is to begin in a group where nothing runs. */
export function groupFrozen(name: string): Error {
  const text = `group "${name}" is frozen; nothing can begin in it until it is thawed`;
  return teuError('INVALID_STATE', text, { metadata: { group: name } });
}

/** The error for a group that has something in it. */
export function groupBusy(
  name: string,
  { containerCount, groupCount }: { containerCount: number; groupCount: number },
): Error {
  const what = [count(containerCount, 'container'), count(groupCount, 'group')].filter(Boolean);
  const text = `group "${name}" cannot be removed: it holds ${what.join(' and ')}`;
  return teuError('GROUP_BUSY', text, {
    metadata: {
      group: name,
      container_count: String(containerCount),
      group_count: String(groupCount),
    },
  });
}

function count(number: number, noun: string): string {
  return number === 0 ? '' : `${number} ${noun}${number === 1 ? '' : 's'}`;
}
