import { describeBaseUpgrades } from './describe-base-upgrade.js';
import { DRIVER_ROWS } from './driver-places.js';

describeBaseUpgrades(DRIVER_ROWS);
