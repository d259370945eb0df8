import { invalid, isObject, member, parseDocument, type JsonObject } from './strict-json.js';

/** A step of making an image, as its config tells it (image-spec, config.md). All of it is data. */
export interface HistoryStep {
  createTime?: Date;
  createdBy: string;
  comment: string;
  author: string;
  /** Whether it made no layer. */
  isEmptyLayer: boolean;
}

/**
 * Reads the history of a config, oldest step first. One that does not tell of each layer, or none, gives an empty step for each
 * layer: a step could not be matched with what it made.
 * @throws IMAGE_INVALID
 */
export function readHistory(config: Uint8Array, layerCount: number): HistoryStep[] {
  const list = member(parseDocument(config, 'the config'), 'history') ?? [];
  if (!Array.isArray(list)) throw invalid('the config', 'has a malformed "history"');
  const steps = list.map((item) => readStep(isObject(item) ? item : {}));
  const told = steps.filter(({ isEmptyLayer }) => !isEmptyLayer).length;
  if (told === layerCount) return steps;
  return Array.from({ length: layerCount }, () => readStep({}));
}

function readStep(item: JsonObject): HistoryStep {
  const time = new Date(textOf(item, 'created'));
  return {
    ...(Number.isNaN(time.getTime()) ? {} : { createTime: time }),
    createdBy: textOf(item, 'created_by'),
    comment: textOf(item, 'comment'),
    author: textOf(item, 'author'),
    isEmptyLayer: member(item, 'empty_layer') === true,
  };
}

function textOf(item: JsonObject, name: string): string {
  const value = member(item, name);
  return typeof value === 'string' ? value : '';
}
