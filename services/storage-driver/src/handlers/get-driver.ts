import { WhiteoutForm, type GetDriverResponse } from '@teu/proto/storage';
import { capabilitiesOf, type StorageDriver } from '@teu/snapshots';

/** The service itself, as GetDriver tells it. */
export interface ServiceFacts {
  readonly version: string;
  readonly startTime: Date;
}

export function getDriver(driver: StorageDriver, facts: ServiceFacts): GetDriverResponse {
  return {
    driver: {
      name: driver.name,
      version: facts.version,
      capabilities: capabilitiesOf(driver),
      backingFilesystem: driver.backingFilesystem,
      maxLayerCount: driver.maxLayerCount,
      startTime: facts.startTime,
      implementation: driver.implementation ?? '',
      whiteoutForm: driver.whiteoutForm ?? WhiteoutForm.WHITEOUT_FORM_UNSPECIFIED,
    },
  };
}
