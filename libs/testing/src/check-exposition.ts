/** Samples of a text of metrics: name and labels as they stand there, and the value. */
export type ExposedSamples = ReadonlyMap<string, number>;

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const COMMENT = /^# (HELP|TYPE) (\S+) (.+)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
/** A label with its value, in which only \\, \" and \n are escaped. */
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

/**
 * Reads the text format of Prometheus, version 0.0.4, as strictly as it is written down: each metric has HELP, TYPE and
 * its samples in one piece, in this order; each sample is there once; the last line ends.
 *
 * @throws Error that names the line that is wrong
 */
export function checkExposition(text: string): ExposedSamples {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  const helped = new Set<string>();
  let current = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (what: string): never => {
      throw new Error(`${what}: ${line}`);
    };
    const [, keyword, name = '', rest = ''] = COMMENT.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (!NAME.test(name) || helped.has(name)) fail('a second HELP, or a bad name');
      helped.add(name);
    } else if (keyword === 'TYPE') {
      if (!helped.has(name) || types.has(name)) fail('TYPE without HELP, or a second one');
      if (!['counter', 'gauge'].includes(rest)) fail('no such type here');
      if ((rest === 'counter') !== name.endsWith('_total'))
        fail('counters, and they alone, are _total');
      types.set(name, rest);
      current = name;
    } else {
      const [, metric = '', labels = '', value = ''] = SAMPLE.exec(line) ?? fail('no sample');
      if (metric !== current) fail('a sample that is not with its metric');
      checkLabels(labels, fail);
      const key = labels === '' ? metric : `${metric}{${labels}}`;
      if (samples.has(key)) fail('a second sample');
      const number = Number(value);
      if (!Number.isFinite(number)) fail('no number');
      samples.set(key, number);
    }
  }
  return samples;
}

function checkLabels(labels: string, fail: (what: string) => never): void {
  const seen = new Set<string>();
  for (let rest = labels; rest !== '';) {
    const [whole, name = ''] = LABEL.exec(rest) ?? fail('a bad label');
    if (seen.has(name)) fail('a second label of the same name');
    seen.add(name);
    rest = rest.slice(whole.length);
  }
}
