/** What happens to bytes and to JSON on their way: arbitrary damage, most of it where it hurts. */
import * as fc from 'fast-check';

/** Numbers at which counters, lengths and signs turn over. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

const DOUBLES = [0, -0, -0.5, -1, 0.5, Number.NaN, Infinity, -Infinity, 5e-324, 1e308, 2 ** 53, 2 ** 53 + 2];

/** One change of bytes; where it is made fits whatever it is applied to. */
type Change =
  | { readonly kind: 'bit' | 'byte' | 'delete' | 'insert' | 'cut'; readonly at: Place; readonly byte: number }
  | { readonly kind: 'word' | 'double'; readonly at: Place; readonly number: number }
  | { readonly kind: 'grow'; readonly byte: number; readonly length: number };

/** In the first bytes, which say how long the rest is, or anywhere, as a share of the length. */
type Place = { readonly offset: number } | { readonly share: number };

const place: fc.Arbitrary<Place> = fc.oneof(
  fc.record({ offset: fc.nat(63) }),
  fc.record({ offset: fc.nat(255) }),
  fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }) }),
);

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('bit', 'bit', 'byte', 'byte', 'delete', 'insert', 'cut'),
    at: place,
    byte: fc.nat(255),
  }),
  fc.record({
    kind: fc.constant('word' as const),
    at: place,
    number: fc.oneof(fc.constantFrom(...EDGES), fc.nat(4096)),
  }),
  fc.record({ kind: fc.constant('double' as const), at: place, number: fc.constantFrom(...DOUBLES) }),
  fc.record({
    kind: fc.constant('grow' as const),
    byte: fc.nat(255),
    length: fc.integer({ min: 1, max: 64 }),
  }),
);

function applied(bytes: Buffer, made: Change): Buffer {
  if (made.kind === 'grow') return Buffer.concat([bytes, Buffer.alloc(made.length, made.byte)]);
  if (bytes.length === 0) return bytes;
  const wanted = 'offset' in made.at ? made.at.offset : Math.floor(made.at.share * bytes.length);
  const at = Math.min(bytes.length - 1, wanted);
  const out = Buffer.from(bytes);
  switch (made.kind) {
    case 'bit':
      out[at] = (out[at] as number) ^ (1 << (made.byte & 7));
      return out;
    case 'byte':
      out[at] = made.byte;
      return out;
    case 'word':
      if (at - (at % 4) + 4 <= out.length) out.writeUInt32LE(made.number, at - (at % 4));
      return out;
    case 'double':
      if (at - (at % 8) + 8 <= out.length) out.writeDoubleLE(made.number, at - (at % 8));
      return out;
    case 'delete':
      return Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + (made.byte & 7))]);
    case 'insert':
      return Buffer.concat([out.subarray(0, at), Buffer.from([made.byte]), out.subarray(at)]);
    case 'cut':
      return out.subarray(0, at);
  }
}

/** Valid bytes, damaged up to three times; now and then not at all, so that accepting is tested as well. */
export const damaged = (valid: fc.Arbitrary<Uint8Array | ArrayBuffer>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(valid, fc.array(change, { maxLength: 3 }))
    .map(([bytes, changes]) =>
      changes.reduce(applied, Buffer.from(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes))),
    );

/** An `ArrayBuffer` of its own with these bytes, as a socket hands them over. */
export const asArrayBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

/** Values that programs stumble over where they expect another. */
const AWKWARD: readonly unknown[] = [
  null,
  true,
  '',
  0,
  -0,
  -1,
  0.5,
  1e308,
  -1e308,
  2 ** 32,
  2 ** 53,
  1e21,
  [],
  {},
  '__proto__',
  'constructor',
  '\u0000',
  '\ud800',
  'x'.repeat(3000),
];

const awkward = fc.oneof(fc.constantFrom(...AWKWARD), fc.jsonValue({ maxDepth: 2 }));

type Edit = {
  readonly steps: readonly number[];
  readonly how: number;
  readonly value: unknown;
  readonly key: string;
};

const edit: fc.Arbitrary<Edit> = fc.record({
  steps: fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }),
  how: fc.nat(9),
  value: awkward,
  key: fc.oneof(
    fc.constantFrom('__proto__', 'constructor', 'toString', 'type', 'length'),
    fc.string({ maxLength: 8 }),
  ),
});

/** Walks into the value by the steps and replaces, removes or adds there. */
function edited(value: unknown, { steps, how, value: put, key }: Edit): unknown {
  if (typeof value !== 'object' || value === null) return put;
  const [step = 0, ...rest] = steps;
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((each: unknown, at) => [String(at), each])
    : Object.entries(value);
  const at = entries.length === 0 ? 0 : step % entries.length;
  const chosen = entries[at];
  if (chosen === undefined || how === 0) entries.push([key, put]);
  else if (rest.length > 0 && typeof chosen[1] === 'object' && chosen[1] !== null)
    chosen[1] = edited(chosen[1], { steps: rest, how, value: put, key });
  else if (how === 1) entries.splice(at, 1);
  else if (how === 2) chosen[0] = key;
  else chosen[1] = put;
  if (Array.isArray(value)) return entries.map(([, each]) => each);
  return Object.fromEntries(entries);
}

/** JSON text of a valid value, damaged in its structure, and sometimes in its letters. */
export const damagedJson = (valid: fc.Arbitrary<unknown>): fc.Arbitrary<string> =>
  fc
    .tuple(
      valid,
      fc.array(edit, { maxLength: 2 }),
      fc.option(fc.tuple(fc.nat(), fc.string({ maxLength: 3 })), { freq: 8 }),
    )
    .map(([value, edits, letters]) => {
      const text = JSON.stringify(edits.reduce(edited, structuredClone(value)));
      if (letters === null) return text;
      const at = letters[0] % (text.length + 1);
      return text.slice(0, at) + letters[1] + text.slice(at + 1);
    });
