export * from './gen/teu/image/v1/distribution_service.js';
export * from './gen/teu/image/v1/image_service.js';
export * from './gen/teu/image/v1/content_service.js';
export * from './gen/teu/image/v1/archive_service.js';
