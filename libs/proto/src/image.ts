export * from './gen/teu/image/v1/image_service.js';
