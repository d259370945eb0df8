import { DeviceMapping } from '@teu/proto/engine';
import { UsageError } from '../cli-error.js';

/** Reads docker's `--device`: HOST, HOST:ACCESS, HOST:CONTAINER or HOST:CONTAINER:ACCESS. */
export function parseDeviceMapping(text: string): DeviceMapping {
  const isAccess = (part: string | undefined): boolean => /^[rwm]{1,3}$/.test(part ?? '');
  const [pathOnHost = '', second, third, ...rest] = text.split(':');
  const onlyAccess = third === undefined && isAccess(second);
  const pathInContainer = onlyAccess ? '' : (second ?? '');
  const access = onlyAccess ? second : third;
  const isRight =
    pathOnHost.startsWith('/') &&
    (pathInContainer === '' || pathInContainer.startsWith('/')) &&
    (access === undefined || isAccess(access)) &&
    rest.length === 0;
  if (isRight) return DeviceMapping.create({ pathOnHost, pathInContainer, access: access ?? '' });
  throw new UsageError(
    `invalid value "${text}" for --device`,
    'it is a node of the host, perhaps its path in the container, perhaps access: /dev/fuse:/dev/fuse:rw',
  );
}
