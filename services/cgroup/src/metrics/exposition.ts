/** Type of a metric, of the few there are here. */
export type MetricType = 'counter' | 'gauge';

/** Media type of the text format of Prometheus, version 0.0.4. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A metric: its name, meaning and samples come together in the text. */
export interface MetricFamily {
  readonly name: string;
  readonly type: MetricType;
  /** One sentence. */
  readonly help: string;
}

/** One value of a metric, with its labels as {@link labelText} writes them. */
export interface Sample {
  readonly labels: string;
  readonly value: number;
}

/** The lines of one metric; none if nothing was measured. */
export function familyText(family: MetricFamily, samples: Iterable<Sample>): string {
  const { name, type, help } = family;
  let text = '';
  for (const { labels, value } of samples) {
    text += labels === '' ? `${name} ${String(value)}\n` : `${name}{${labels}} ${String(value)}\n`;
  }
  return text === '' ? '' : `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${text}`;
}

/** Labels as they stand between the braces. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(',');
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
