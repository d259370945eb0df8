export { imageConfig, type ImageServiceConfig } from './config.js';
export { startServer, type ImageServer, type ImageServerDependencies } from './server.js';
