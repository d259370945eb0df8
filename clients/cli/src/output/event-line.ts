import {
  baseActionToJSON,
  cgroupActionToJSON,
  containerActionToJSON,
  driverActionToJSON,
  imageActionToJSON,
  snapshotActionToJSON,
  type Event,
} from '@teu/proto/event';
import { shortId } from './for-people.js';
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
      return `cgroup ${verb(cgroupActionToJSON(action))} ${shortId(containerId) || group}`;
    }
    case undefined:
      return subject;
  }
}
