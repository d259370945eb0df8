export * from './gen/teu/event/v1/event.js';
