import { setImmediate } from 'node:timers/promises';
import type { Run } from '@teu/proto/cgroup';
import type { CgroupParts } from '../cgroup-parts.js';
import type { Reading } from '../stats/reading.js';
import { selectSubjects } from '../stats/select-subjects.js';
import { familyText, labelText, type MetricFamily, type Sample } from './exposition.js';
import { FIGURE_METRICS, type FigureMetric } from './figure-metrics.js';

/** A reading of a stream serves as well if it is not older. */
const AGE_MS_MAX = 500;

/** A container or group, with its labels as they stand in each line. */
interface Labelled {
  readonly reading: Reading;
  readonly labels: string;
}

type MetricsParts = Pick<CgroupParts, 'tree' | 'figures' | 'creations' | 'ledger'>;

/** Reads the figures of all and gives the text of one metric after the other, each in a turn of the event loop of its own. */
export async function* collectMetrics(parts: MetricsParts): AsyncGenerator<string> {
  const { tree, figures, ledger } = parts;
  const subjects = selectSubjects(tree, { ids: [], group: '', withGroups: true });
  const readings = await figures.readAll(subjects, AGE_MS_MAX);
  const groups = readings.filter(({ containerId }) => containerId === '').map(groupLabels);
  const containers = readings.flatMap((reading) => {
    const run = ledger.runOf(reading.containerId);
    // Without its run the labels would be others than they will be, or were: another series.
    return run === undefined ? [] : [containerLabels(reading, run)];
  });
  for (const [prefix, subject] of [
    ['teu_container_', containers],
    ['teu_group_', groups],
  ] as const) {
    for (const metric of FIGURE_METRICS) {
      await setImmediate();
      yield familyText({ ...metric, name: prefix + metric.name }, samplesOf(metric, subject));
    }
  }
  for (const [family, value] of ownMetrics(parts, containers.length)) {
    yield familyText(family, [{ labels: '', value }]);
  }
}

function containerLabels(reading: Reading, { name, image }: Run): Labelled {
  // A reading may be older than the name that is known by now.
  const { containerId, group } = reading;
  return { reading, labels: labelText({ container_id: containerId, name, image, group }) };
}

function groupLabels(reading: Reading): Labelled {
  return { reading, labels: labelText({ group: reading.group }) };
}

function* samplesOf(metric: FigureMetric, subjects: readonly Labelled[]): Generator<Sample> {
  for (const { reading, labels } of subjects) {
    for (const sample of metric.samples(reading.stats)) {
      yield {
        labels: sample.labels === '' ? labels : `${labels},${sample.labels}`,
        value: sample.value,
      };
    }
  }
}

/** What the service costs. */
function ownMetrics(
  { figures: { cost, openFileCount }, creations }: MetricsParts,
  containerCount: number,
): [MetricFamily, number][] {
  const { user, system } = process.cpuUsage();
  const counter = (name: string, help: string, value: number): [MetricFamily, number] => [
    { name, help, type: 'counter' },
    value,
  ];
  const gauge = (name: string, help: string, value: number): [MetricFamily, number] => [
    { name, help, type: 'gauge' },
    value,
  ];
  return [
    gauge('teu_containers', 'Containers that run, as far as is known.', containerCount),
    counter('teu_cgroup_creations_total', 'Calls of CreateCgroup.', creations.count),
    counter('teu_cgroup_creation_seconds_total', 'Time spent on them.', creations.busyMs / 1000),
    counter(
      'teu_cgroup_samples_total',
      'Samples of figures that were asked for.',
      cost.sampleCount,
    ),
    counter('teu_cgroup_sample_seconds_total', 'Time spent on samples.', cost.busyMs / 1000),
    counter('teu_cgroup_readings_total', 'Cgroups that were read for samples.', cost.readCount),
    gauge('teu_cgroup_open_files', 'Files of cgroups that are kept open.', openFileCount),
    counter(
      'process_cpu_seconds_total',
      'Processor time of the cgroup service, user and system.',
      (user + system) / 1e6,
    ),
    gauge(
      'process_resident_memory_bytes',
      'Memory of the cgroup service.',
      process.memoryUsage.rss(),
    ),
  ];
}
