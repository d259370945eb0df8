export { imageConfig, type ImageServiceConfig } from './config.js';
export { startServer, type ImageServer } from './server.js';
