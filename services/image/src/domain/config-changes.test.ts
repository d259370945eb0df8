import { isTeuError } from '@teu/errors';
import { describe, expect, it } from 'vitest';
import { changeConfig } from './config-changes.js';

const BASE = {
  Env: ['PATH=/bin', 'HOME=/root'],
  Cmd: ['sh'],
  WorkingDir: '/srv',
  Labels: { a: '1' },
  Domainname: 'kept',
};

describe('changes of a config', () => {
  it.each<[string, object]>([
    ['CMD ["ls", "-l"]', { Cmd: ['ls', '-l'] }],
    ['CMD ls -l "$HOME"', { Cmd: ['/bin/sh', '-c', 'ls -l "$HOME"'] }],
    ['cmd [not json', { Cmd: ['/bin/sh', '-c', '[not json'] }],
    ['ENTRYPOINT ["/init"]', { Entrypoint: ['/init'], Cmd: null }],
    ['ENTRYPOINT exec top', { Entrypoint: ['/bin/sh', '-c', 'exec top'], Cmd: null }],
    ['ENV A=b C="d e" D=f\\ g', { Env: ['PATH=/bin', 'HOME=/root', 'A=b', 'C=d e', 'D=f g'] }],
    ['ENV PATH=$PATH:${HOME}/bin', { Env: ['PATH=/bin:/root/bin', 'HOME=/root'] }],
    ["ENV X='$HOME'", { Env: ['PATH=/bin', 'HOME=/root', 'X=$HOME'] }],
    ['ENV OLD the "rest" of it', { Env: ['PATH=/bin', 'HOME=/root', 'OLD=the "rest" of it'] }],
    [
      'EXPOSE 80 53/UDP 90-92',
      { ExposedPorts: portsOf('53/udp', '80/tcp', '90/tcp', '91/tcp', '92/tcp') },
    ],
    ['LABEL b=2 a="new one"', { Labels: { a: 'new one', b: '2' } }],
    ['STOPSIGNAL SIGRTMIN+3', { StopSignal: 'SIGRTMIN+3' }],
    ['USER 1000:1000', { User: '1000:1000' }],
    ['VOLUME ["/a b", "/c"]', { Volumes: { '/a b': {}, '/c': {} } }],
    ['VOLUME /c /d', { Volumes: { '/c': {}, '/d': {} } }],
    ['WORKDIR sub', { WorkingDir: '/srv/sub' }],
    ['WORKDIR /abs/', { WorkingDir: '/abs' }],
  ])('%s', (change, expected) => {
    expect(changeConfig(BASE, [change])).toEqual({ ...BASE, ...expected });
  });

  it('come one after the other', () => {
    expect(changeConfig(BASE, ['WORKDIR a', 'WORKDIR b', 'ENV A=1', 'ENV B=$A'])).toMatchObject({
      WorkingDir: '/srv/a/b',
      Env: [...BASE.Env, 'A=1', 'B=1'],
    });
    const both = ['CMD ["-v"]', 'ENTRYPOINT ["/init"]'];
    expect(changeConfig(BASE, both)).toMatchObject({ Entrypoint: ['/init'], Cmd: ['-v'] });
    expect(changeConfig(BASE, both.toReversed())).toMatchObject({ Cmd: ['-v'] });
  });

  it('use the shell of the image', () => {
    const config = { Shell: ['/bin/bash', '-ec'] };
    expect(changeConfig(config, ['CMD x'])).toEqual({ ...config, Cmd: ['/bin/bash', '-ec', 'x'] });
  });

  it.each([
    'RUN rm -rf /',
    'ADD a b',
    'constructor x',
    '',
    'CMD',
    'ENV A',
    'ENV =b',
    'ENV A=b C',
    'ENV A="open',
    'ENV A=${B:-c}',
    'EXPOSE none',
    'EXPOSE 0',
    'EXPOSE 9-8',
    'EXPOSE 70000',
    'EXPOSE 1/icmp',
    'LABEL =x',
    'STOPSIGNAL a b',
    'STOPSIGNAL no!',
    'USER a b',
    'VOLUME [""]',
    'WORKDIR a b',
    `USER ${'x'.repeat(70_000)}`,
    'USER a\0b',
  ])('refused: %s', (change) => {
    expect(() => changeConfig(BASE, ['USER ok', change])).toThrow(
      expect.toSatisfy(
        (error) =>
          isTeuError(error, 'INVALID_ARGUMENT') && error.metadata['field'] === 'changes[1]',
      ),
    );
  });
});

function portsOf(...names: string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
