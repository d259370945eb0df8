import { readFileSync } from 'node:fs';
import {
  createFileRegistry,
  fromBinary,
  ScalarType,
  type DescField,
  type DescMessage,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** One request that no honest client sends, as bytes. */
export interface HostileCall {
  /** Name of the socket. */
  readonly socket: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly stream: boolean;
  /** Which field has which value. */
  readonly what: string;
  readonly kind: Kind;
  readonly request: Buffer;
}

type Kind = 'text' | 'number' | 'enum' | 'bytes' | 'garbage';

/** A field somewhere in a message: the way to it, and what it holds. */
interface Place {
  readonly way: readonly DescField[];
  readonly kind: Kind;
}

const sockets: Readonly<Record<string, string>> = {
  'teu.engine.v1.EngineService': 'engine',
  'teu.engine.v1.BaseService': 'engine',
  'teu.image.v1.ImageService': 'image',
  'teu.executor.v1.ExecutorService': 'executor',
  'teu.cgroup.v1.CgroupService': 'cgroup',
  'teu.storage.v1.DriverService': 'overlay2',
  'containerd.services.snapshots.v1.Snapshots': 'overlay2',
};

const texts = (canary: string): Buffer[] =>
  [
    `../../../../../..${canary}/new`,
    `${canary}/file`,
    '..',
    'a\0b',
    'a\nroot::0:0::/:/bin/sh',
    '__proto__',
    "'; DELETE FROM containers; --",
    `sha256:../../${'0'.repeat(58)}`,
    'x'.repeat(70_000),
  ]
    .map((text) => Buffer.from(text))
    .concat(Buffer.from([0xff, 0xfe]));
const enums = [-1, 99, 256, 2 ** 31 - 1];
const numbers = [-1, -(2 ** 31), Number.MAX_SAFE_INTEGER];
const garbage = ['ffffffffffffffffffff', '0aff', '0a80808080', '0b'.repeat(70_000)];

/** Calls of every method, each with one field that is wrong, after `bases` that make the rest right. */
export function hostileCalls(
  descriptors: string,
  canary: string,
  bases: Readonly<Record<string, Buffer>>,
): HostileCall[] {
  const registry = createFileRegistry(
    fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)),
  );
  const values: Record<Kind, Buffer[]> = {
    text: texts(canary).map((text) => withLength(text)),
    bytes: [withLength(Buffer.alloc(9, 0xff))],
    enum: enums.map((value) => varint(value)),
    number: numbers.map((value) => varint(value)),
    garbage: [],
  };
  return Object.entries(sockets).flatMap(([name, socket]) =>
    registry.getService(name)!.methods.flatMap((method) => {
      const path = `/${name}/${method.name}`;
      const call = { socket, path, stream: method.methodKind !== 'unary' };
      const base = bases[method.input.typeName] ?? Buffer.alloc(0);
      const wrong = placesOf(method.input).flatMap(({ way, kind }) =>
        values[kind].map((value, index): HostileCall => ({
          ...call,
          what: `${way.map((field) => field.name).join('.')} = ${kind} ${index}`,
          kind,
          request: Buffer.concat([base, wire(way, value)]),
        })),
      );
      const broken = garbage.map((hex): HostileCall => ({
        ...call,
        what: `garbage ${hex.slice(0, 8)}`,
        kind: 'garbage',
        request: Buffer.from(hex, 'hex'),
      }));
      return [...wrong, ...broken];
    }),
  );
}

function placesOf(message: DescMessage, above: readonly DescMessage[] = []): Place[] {
  if (above.includes(message)) return [];
  return message.fields.flatMap((field): Place[] => {
    const kind = kindOf(field);
    const here: Place[] = kind === undefined ? [] : [{ way: [field], kind }];
    const below = field.message === undefined ? [] : placesOf(field.message, [...above, message]);
    return [...here, ...below.map(({ way, kind }) => ({ way: [field, ...way], kind }))];
  });
}

/** What is spoilt of a field itself: of a map its key. */
function kindOf(field: DescField): Kind | undefined {
  if (field.fieldKind === 'map') return field.mapKey === ScalarType.STRING ? 'text' : undefined;
  if (field.enum !== undefined) return 'enum';
  if (field.scalar === ScalarType.STRING) return 'text';
  if (field.scalar === ScalarType.BYTES) return 'bytes';
  const whole = [ScalarType.INT32, ScalarType.INT64, ScalarType.UINT32, ScalarType.UINT64];
  return field.scalar !== undefined && whole.includes(field.scalar) ? 'number' : undefined;
}

/** The value in its field in its message, and so on outwards. */
function wire([field, ...rest]: readonly DescField[], value: Buffer): Buffer {
  if (field === undefined) return value;
  const isMap = field.fieldKind === 'map';
  const inner = rest.length === 0 ? value : withLength(wire(rest, value));
  // An entry of a map is a message of its own: its key is field 1, its value field 2.
  const content = isMap
    ? withLength(Buffer.concat([Buffer.from([rest.length === 0 ? 0x0a : 0x12]), inner]))
    : inner;
  const isNumber = rest.length === 0 && ['enum', 'number'].includes(kindOf(field) ?? '');
  return Buffer.concat([varint(field.number * 8 + (isNumber ? 0 : 2)), content]);
}

function withLength(bytes: Buffer): Buffer {
  return Buffer.concat([varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}
