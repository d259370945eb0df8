export * from './gen/teu/storage/v1/driver_service.js';
export * from './gen/teu/storage/v1/branch_service.js';
