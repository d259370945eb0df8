export { engineConfig, type EngineConfig } from './config.js';
export { startServer, type EngineDependencies, type EngineServer } from './server.js';
