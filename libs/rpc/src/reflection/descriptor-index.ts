import { BinaryReader } from '@bufbuild/protobuf/wire';

/** One file of a descriptor set. */
export interface FileEntry {
  /** Serialised google.protobuf.FileDescriptorProto. */
  readonly bytes: Uint8Array;
  readonly dependencies: readonly string[];
}

/** Files by name, and for each fully qualified symbol the file that declares it. */
export interface DescriptorIndex {
  readonly files: ReadonlyMap<string, FileEntry>;
  readonly fileOfSymbol: ReadonlyMap<string, string>;
}

/** What to do with a length-delimited field, by field number. */
type Fields = Readonly<Record<number, (bytes: Uint8Array) => void>>;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

function forEachField(bytes: Uint8Array, fields: Fields): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const visit = fields[field];
    if (visit === undefined) reader.skip(wireType, field);
    else visit(reader.bytes());
  }
}

/**
 * Reads just the names out of a serialised google.protobuf.FileDescriptorSet (descriptor.proto gives
 * the field numbers). A whole reflection library would cost every idle service some megabytes.
 */
export function indexDescriptors(descriptorSet: Uint8Array): DescriptorIndex {
  const files = new Map<string, FileEntry>();
  const fileOfSymbol = new Map<string, string>();
  forEachField(descriptorSet, {
    1: (bytes) => {
      const { name, dependencies, symbols } = readFile(bytes);
      files.set(name, { bytes, dependencies });
      for (const symbol of symbols) fileOfSymbol.set(symbol, name);
    },
  });
  return { files, fileOfSymbol };
}

function readFile(bytes: Uint8Array): { name: string; dependencies: string[]; symbols: string[] } {
  let name = '';
  let packageName = '';
  const dependencies: string[] = [];
  const declarations: { number: number; bytes: Uint8Array }[] = [];
  const declare = (number: number) => (declaration: Uint8Array) => {
    declarations.push({ number, bytes: declaration });
  };
  forEachField(bytes, {
    1: (value) => (name = text(value)),
    2: (value) => (packageName = text(value)),
    3: (value) => dependencies.push(text(value)),
    4: declare(4),
    5: declare(5),
    6: declare(6),
    7: declare(7),
  });
  const symbols: string[] = [];
  for (const declaration of declarations) {
    if (declaration.number === 4) readMessage(declaration.bytes, packageName, symbols);
    // Members of a service are its methods; an enum's values and extensions are not nested in it.
    else readNamed(declaration.bytes, packageName, symbols, declaration.number === 6);
  }
  return { name, dependencies, symbols };
}

function readNamed(bytes: Uint8Array, scope: string, symbols: string[], hasMethods: boolean): void {
  let symbol = '';
  const methods: Uint8Array[] = [];
  forEachField(bytes, {
    1: (value) => (symbol = qualified(scope, text(value))),
    ...(hasMethods ? { 2: (method: Uint8Array) => methods.push(method) } : {}),
  });
  symbols.push(symbol);
  for (const method of methods) readNamed(method, symbol, symbols, false);
}

/** Names of a message, its fields, nested messages and nested enums (DescriptorProto). */
function readMessage(bytes: Uint8Array, scope: string, symbols: string[]): void {
  let symbol = '';
  const fields: Uint8Array[] = [];
  const messages: Uint8Array[] = [];
  forEachField(bytes, {
    1: (value) => (symbol = qualified(scope, text(value))),
    2: (field) => fields.push(field),
    3: (message) => messages.push(message),
    4: (enumeration) => fields.push(enumeration),
  });
  symbols.push(symbol);
  for (const field of fields) readNamed(field, symbol, symbols, false);
  for (const message of messages) readMessage(message, symbol, symbols);
}

function qualified(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`;
}
