import {
  ContainerAction,
  ContainerEvent,
  Event,
  ImageAction,
  ImageEvent,
  SnapshotAction,
} from '@teu/proto/event';
import { describe, expect, it } from 'vitest';
import { eventSubject, kindSubject, makeEvent, subjectToken } from './index.js';

describe('subjects', () => {
  it('have five parts, whatever the node is called', () => {
    expect(eventSubject('web-1', 'container', 'started')).toBe('teu.v1.web-1.container.started');
    expect(eventSubject('a.b *>', 'image', 'loaded')).toBe('teu.v1.a-b---.image.loaded');
    expect(subjectToken('')).toBe('-');
  });

  it('of a kind match one node or all', () => {
    expect(kindSubject('snapshot')).toBe('teu.v1.*.snapshot.*');
    expect(kindSubject('snapshot', 'n.1')).toBe('teu.v1.n-1.snapshot.*');
  });
});

describe('an event', () => {
  it('carries what it was made of, and the number it gets', () => {
    const value = ContainerEvent.fromPartial({
      action: ContainerAction.CONTAINER_ACTION_OOM_KILLED,
      containerId: 'c1',
    });
    const eventTime = new Date('2026-01-02T03:04:05.678Z');
    const made = makeEvent({
      node: 'n1',
      source: 'engine',
      requestId: 'r1',
      eventTime,
      payload: { $case: 'container', value },
    });
    expect(made.subject).toBe('teu.v1.n1.container.oom_killed');
    expect(Event.decode(made.payload(7))).toEqual({
      id: made.eventId,
      source: 'engine',
      sourceSequence: 7,
      eventTime,
      subject: made.subject,
      requestId: 'r1',
      payload: { $case: 'container', value },
    });
  });

  it('takes its subject from its kind and its action', () => {
    const tagged = ImageAction.IMAGE_ACTION_TAGGED;
    const image = ImageEvent.create({ action: tagged, imageId: 'i', reference: 'a:b' });
    const snapshot = {
      action: SnapshotAction.SNAPSHOT_ACTION_COMMITTED,
      driver: 'overlay2',
      key: 'k',
      parent: '',
    };
    const subjectOf = (payload: Parameters<typeof makeEvent>[0]['payload']): string =>
      makeEvent({ node: 'n1', source: 'x', payload }).subject;
    expect(subjectOf({ $case: 'image', value: image })).toBe('teu.v1.n1.image.tagged');
    expect(subjectOf({ $case: 'snapshot', value: snapshot })).toBe('teu.v1.n1.snapshot.committed');
  });
});
