/** What a variable stands for; undefined if there is none of the name. */
export type Variables = (name: string) => string | undefined;

const VARIABLE = /\$(?:(?<plain>[A-Za-z_][A-Za-z0-9_]*)|\{(?<braced>[A-Za-z_][A-Za-z0-9_]*)\})/y;

/**
 * Divides the text of a Dockerfile's instruction into words as Dockerfiles do: blanks divide, quotes join, a
 * backslash takes its next character as it is, and $NAME or ${NAME} is replaced, except between single quotes.
 * @throws SyntaxError for a quote that does not end, or another form of a variable
 */
export function splitWords(text: string, variables: Variables): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length;) {
    const letter = text.charAt(at);
    if (quote === '' && /\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
      continue;
    }
    word ??= '';
    if (letter === quote) {
      quote = '';
      at += 1;
    } else if (quote === '' && (letter === '"' || letter === "'")) {
      quote = letter;
      at += 1;
    } else {
      const [piece, length] = readPiece(text, at, quote, variables);
      word += piece;
      at += length;
    }
  }
  if (quote !== '') throw new SyntaxError('a quote does not end');
  if (word !== undefined) words.push(word);
  return words;
}

/** What stands at a place of a word, and how long that is in the text. */
function readPiece(
  text: string,
  at: number,
  quote: string,
  variables: Variables,
): [string, number] {
  const letter = text.charAt(at);
  if (quote === "'") return [letter, 1];
  if (letter === '\\') {
    const next = text.charAt(at + 1);
    const isTaken = next !== '' && (quote === '' || '"$\\'.includes(next));
    return isTaken ? [next, 2] : [letter, 1];
  }
  if (letter !== '$') return [letter, 1];
  VARIABLE.lastIndex = at;
  const found = VARIABLE.exec(text);
  if (found === null) {
    if (text.charAt(at + 1) === '{') throw new SyntaxError('a variable has a form that is unknown');
    return [letter, 1];
  }
  const name = found.groups?.['plain'] ?? found.groups?.['braced'] ?? '';
  return [variables(name) ?? '', found[0].length];
}
