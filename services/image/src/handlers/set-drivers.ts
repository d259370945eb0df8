import type { SetDriversRequest, SetDriversResponse } from '@teu/proto/image';
import type { ImageParts } from '../operations/image-parts.js';
import { setDrivers } from '../operations/set-drivers.js';

export function setDriversHandler(parts: ImageParts) {
  return async ({
    drivers: addresses,
    defaultDriver: defaultName,
  }: SetDriversRequest): Promise<SetDriversResponse> => {
    setDrivers(parts, { addresses, defaultName });
    return {};
  };
}
