import type { OptionSpec } from './parse-options.js';

/** An option with a value, of which the last one counts. */
export const value = (
  name: string,
  placeholder: string,
  doc: string,
  short?: string,
): OptionSpec => ({
  name,
  kind: 'value',
  value: placeholder,
  doc,
  ...(short === undefined ? {} : { short }),
});

/** An option with a value that may be repeated. */
export const list = (
  name: string,
  placeholder: string,
  doc: string,
  short?: string,
): OptionSpec => ({ ...value(name, placeholder, doc, short), kind: 'list' });

/** An option that is on or off. */
export const flag = (name: string, doc: string, short?: string): OptionSpec => ({
  name,
  kind: 'flag',
  doc,
  ...(short === undefined ? {} : { short }),
});
