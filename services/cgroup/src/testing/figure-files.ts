import { FileText } from '../domain/file-text.js';
import type { FigureFiles } from '../domain/stats.js';

/** Files of a group with these texts by their names, and limits of the groups above. */
export function figureFiles(
  texts: Readonly<Record<string, string>>,
  limitsAbove: Readonly<Record<string, number>> = {},
): FigureFiles {
  const read = (name: string): FileText | undefined => {
    const text = texts[name];
    return text === undefined ? undefined : FileText.of(text);
  };
  return {
    read,
    limitAbove: (name) => limitsAbove[name] ?? -1,
    seldom: (name, parse) => {
      const text = read(name);
      return text && parse(text);
    },
  };
}
