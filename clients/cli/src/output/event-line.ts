import {
  baseActionToJSON,
  cgroupActionToJSON,
  containerActionToJSON,
  driverActionToJSON,
  imageActionToJSON,
  snapshotActionToJSON,
  type CgroupEvent,
  type Event,
} from '@teu/proto/event';
import { memorySize, shortId } from './for-people.js';
import { oomWords } from './oom-words.js';
import { visible } from './visible.js';

const verb = (action: string) =>
  action
    .replace(/^[A-Z]+_ACTION_/, '')
    .toLowerCase()
    .replaceAll('_', ' ');

/** One event on one line: number, time, kind, what happened, to what, and details. */
export function eventLine(sequence: number, event: Event): string {
  const time = event.eventTime?.toISOString() ?? '';
  return `${String(sequence).padStart(6)}  ${time}  ${visible(happening(event))}`;
}

function happening({ payload, subject }: Event): string {
  switch (payload?.$case) {
    case 'container': {
      const container = payload.value;
      const details = [
        `name=${container.name}`,
        `image=${container.image}`,
        ...(container.exitCode === undefined ? [] : [`exit=${String(container.exitCode)}`]),
        ...(container.signal === undefined ? [] : [`signal=${String(container.signal)}`]),
        ...(container.execId === '' ? [] : [`exec=${shortId(container.execId)}`]),
        ...(container.upgradeId === ''
          ? []
          : [`upgrade=${shortId(container.upgradeId)}`, `onto=${shortId(container.imageId)}`]),
        ...(container.error === '' ? [] : [`error=${JSON.stringify(container.error)}`]),
        ...(container.oomKill === undefined ? [] : [oomWords(container.oomKill)]),
      ];
      const action = verb(containerActionToJSON(container.action));
      return `container ${action} ${shortId(container.containerId)} (${details.join(', ')})`;
    }
    case 'image': {
      const image = payload.value;
      const name = image.reference === '' ? '' : ` (${image.reference})`;
      return `image ${verb(imageActionToJSON(image.action))} ${shortId(image.imageId)}${name}`;
    }
    case 'snapshot': {
      const snapshot = payload.value;
      const action = verb(snapshotActionToJSON(snapshot.action));
      return `snapshot ${action} ${snapshot.key} (driver=${snapshot.driver})`;
    }
    case 'driver': {
      const { action, driver } = payload.value;
      return `driver ${verb(driverActionToJSON(action))} ${driver}`;
    }
    case 'base': {
      const base = payload.value;
      const onto = base.newImageId === '' ? '' : `, new=${shortId(base.newImageId)}`;
      const reason = base.comment === '' ? '' : `, reason=${JSON.stringify(base.comment)}`;
      const details = `base=${shortId(base.oldImageId)}${onto}, containers=${base.containerCount}${reason}`;
      return `base ${verb(baseActionToJSON(base.action))} ${shortId(base.upgradeId)} (${details})`;
    }
    case 'cgroup': {
      const { action, containerId, group } = payload.value;
      const subject = containerId === '' ? `group ${group}` : shortId(containerId);
      const details = cgroupDetails(payload.value).join(', ');
      return `cgroup ${verb(cgroupActionToJSON(action))} ${subject} (${details})`;
    }
    case undefined:
      return subject;
  }
}

function cgroupDetails(event: CgroupEvent): string[] {
  const { name, containerId, group, limit, limitValue, count, share, resource, oomKill } = event;
  const isBytes = limit.startsWith('memory.');
  const value = isBytes ? memorySize(limitValue) : String(limitValue);
  const { seconds = 0, nanos = 0 } = event.waitedDuration ?? {};
  return [
    ...(name === '' ? [] : [`name=${name}`]),
    ...(group === '' || containerId === '' ? [] : [`group=${group}`]),
    ...(limit === '' ? [] : [`${limit}=${limitValue < 0 ? 'max' : value}`]),
    ...(resource === '' ? [] : [`resource=${resource}`]),
    ...(share === 0 ? [] : [`share=${String(Math.round(share * 100))}%`]),
    ...(event.waitedDuration === undefined
      ? []
      : [`waited=${(seconds + nanos / 1e9).toFixed(3)}s`]),
    `count=${String(count)}`,
    ...(oomKill === undefined ? [] : [oomWords(oomKill)]),
  ];
}
