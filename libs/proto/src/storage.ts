export * from './gen/teu/storage/v1/driver_service.js';
