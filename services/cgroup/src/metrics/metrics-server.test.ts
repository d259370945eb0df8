import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { roomOrEnd } from './metrics-server.js';

test.each(['drain', 'close'])('a wait that ends by %s leaves no listener', async (event) => {
  const response = new EventEmitter();
  const waiting = roomOrEnd(response);
  response.emit(event);
  await waiting;
  expect(response.eventNames()).toEqual([]);
});
