export { createLogger, type LoggerOptions } from './create-logger.js';
export { LOG_LEVELS, silentLogger, type LogFields, type LogLevel, type Logger } from './logger.js';
