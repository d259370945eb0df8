export { checkDriverAddress, driverAddress, isSameDriver } from './driver-address.js';
export { DriverClient, type DriverCall } from './driver-client.js';
export { DriverSet } from './driver-set.js';
