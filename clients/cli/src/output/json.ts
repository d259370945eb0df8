import type { OptionSpec, ParsedOptions } from '../options/parse-options.js';

/** The option of every command that prints data. */
export const formatOption: OptionSpec = {
  name: 'format',
  kind: 'value',
  value: 'FORMAT',
  choices: ['table', 'json'],
  doc: 'table for people, json for programs',
};

/** Whether the command was asked for JSON. */
export function wantsJson(options: ParsedOptions): boolean {
  return options.value('format') === 'json';
}

/** A value as indented JSON, for commands that print one. */
export function jsonDocument(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** A value as one line of JSON, for streams. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
