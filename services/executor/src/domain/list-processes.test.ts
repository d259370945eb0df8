import { parseContainerId, parseExecId } from '@teu/ids';
import { expect, it } from 'vitest';
import { listProcesses } from './list-processes.js';
import { ProcessEntry } from './process-entry.js';
import { ProcessRegistry } from './process-registry.js';

const PLACES = { directory: '/nowhere', socketPath: '/nowhere' };

function registryOf(containers: number, execs: number): ProcessRegistry {
  const registry = new ProcessRegistry();
  for (let index = containers; index > 0; index -= 1) {
    const id = parseContainerId(index.toString(16).padStart(64, '0'));
    const first = new ProcessEntry(id, '', PLACES);
    const facts = {
      namespaces: [],
      cgroup: { v1TasksFiles: [], v2Directory: null },
      profile: 'default',
    } as const;
    const container = {
      first,
      execs: new Map(),
      facts: { ...facts, cgroup: { ...facts.cgroup, v1TasksFiles: [] } },
    };
    registry.addContainer(container);
    first.state = 'running';
    for (let exec = 1; exec <= execs; exec += 1) {
      const entry = new ProcessEntry(id, parseExecId(exec.toString(16).padStart(64, 'e')), PLACES);
      entry.state = 'running';
      registry.addExec(container, entry);
    }
  }
  return registry;
}

it('pages through all, ordered, each once, while some come and go', () => {
  const registry = registryOf(5, 2);
  const seen: string[] = [];
  let pageToken = '';
  do {
    const page = listProcesses(registry, { pageSize: 4, pageToken, containerId: undefined });
    seen.push(...page.processes.map(({ containerId, execId }) => `${containerId}${execId}`));
    pageToken = page.nextPageToken;
    const [gone] = page.processes;
    if (gone !== undefined && gone.execId !== '') registry.remove(gone);
  } while (pageToken !== '');
  expect(seen).toHaveLength(15);
  expect(seen).toEqual([...new Set(seen)].sort());
});

it('hides what starts, and refuses a token that it never gave', () => {
  const registry = registryOf(1, 0);
  const [process] = registry.processes();
  if (process !== undefined) process.state = 'starting';
  const request = { pageSize: 0, pageToken: '', containerId: undefined };
  expect(listProcesses(registry, request).processes).toEqual([]);
  expect(() => listProcesses(registry, { ...request, pageToken: '../x' })).toThrow('page_token');
});
