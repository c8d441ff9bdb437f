/**
 * Writes WebAssembly modules at run time, so that kernels are TypeScript in the repository and no binary is.
 *
 * Code is built from expressions: every function here returns the bytes that leave one value on the stack, or
 * that do one thing. A `FunctionWriter` strings statements together and counts locals, a `ModuleWriter` puts
 * functions and one exported memory into the binary format:
 *
 *     00 61 73 6d  01 00 00 00          magic, version
 *     01 types     03 functions  05 memory  07 exports  0a code      each: id, size, contents
 *
 * Source: WebAssembly Core Specification 2.0, chapter 5 (binary format), SIMD included. Only what the kernels
 * of this project need is here; an unknown opcode is a type error.
 */

/** Bytes of an expression or a statement. */
export type Code = readonly number[];

export type ValueType = 'i32' | 'f32' | 'f64' | 'v128';

const TYPE_BYTE: Record<ValueType, number> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/**
 * Operations that take their operands from the stack and have no immediates; above 0xff: SIMD, 0xfd and the three
 * digits of the operation. Relaxed ones are of the 3.0 specification: not every engine has them.
 */
const OPCODES = {
  'i32.eq': 0x46,
  'i32.ne': 0x47,
  'i32.add': 0x6a,
  'i32.shl': 0x74,
  'f32x4.splat': 0xfd013,
  'f64x2.promote_low_f32x4': 0xfd05f,
  'f32x4.abs': 0xfd0e0,
  'f32x4.neg': 0xfd0e1,
  'f32x4.add': 0xfd0e4,
  'f32x4.sub': 0xfd0e5,
  'f32x4.mul': 0xfd0e6,
  'f32x4.pmin': 0xfd0ea,
  'f32x4.pmax': 0xfd0eb,
  'f64x2.add': 0xfd0f0,
  'f64x2.mul': 0xfd0f2,
  'f32x4.relaxed_madd': 0xfd105,
  'f32x4.relaxed_nmadd': 0xfd106,
} as const;

/** Loads and stores: opcode, and the base-2 logarithm of the natural alignment. */
const MEMORY_OPCODES = {
  'i32.load': [0x28, 2],
  'v128.load': [0xfd000, 4],
  'v128.load32_splat': [0xfd009, 2],
  'v128.load32_zero': [0xfd05c, 2],
  'i32.store': [0x36, 2],
  'v128.store': [0xfd00b, 4],
} as const;

type Opcode = keyof typeof OPCODES;
type LoadOpcode = Exclude<keyof typeof MEMORY_OPCODES, StoreOpcode>;
type StoreOpcode = 'i32.store' | 'v128.store';

/** Unsigned LEB128. */
function uleb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit integer. */
function sleb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

const opcodeBytes = (code: number): number[] => (code > 0xff ? [0xfd, ...uleb(code & 0xfff)] : [code]);

/** Applies an operation to operands, in the order of the specification. */
export const op = (name: Opcode, ...operands: readonly Code[]): Code => [
  ...operands.flat(),
  ...opcodeBytes(OPCODES[name]),
];

export const i32 = (value: number): Code => [0x41, ...sleb(value)];

/** Reads memory at `address + offset` bytes; `offset` is an immediate and costs nothing. */
export function load(name: LoadOpcode, address: Code, offset = 0): Code {
  const [code, alignment] = MEMORY_OPCODES[name];
  return [...address, ...opcodeBytes(code), alignment, ...uleb(offset)];
}

export function store(name: StoreOpcode, address: Code, offset: number, value: Code): Code {
  const [code, alignment] = MEMORY_OPCODES[name];
  return [...address, ...value, ...opcodeBytes(code), alignment, ...uleb(offset)];
}

/** Loads one float32 into `lane` of a vector and keeps the other lanes. */
export const loadLane = (address: Code, offset: number, lane: number, vector: Code): Code => [
  ...address,
  ...vector,
  ...opcodeBytes(0xfd056),
  2,
  ...uleb(offset),
  lane,
];

/** Four 32-bit lanes out of the eight of a (0–3) and b (4–7). */
export const shuffle = (a: Code, b: Code, lanes: readonly [number, number, number, number]): Code => [
  ...a,
  ...b,
  ...opcodeBytes(0xfd00d),
  ...lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
];

/** A vector constant of four float32. */
export const f32x4 = (value: number): Code => {
  const bytes = [...new Uint8Array(Float32Array.of(value).buffer)];
  return [...opcodeBytes(0xfd00c), ...bytes, ...bytes, ...bytes, ...bytes];
};

/** A local variable or parameter of a function. */
export interface Local {
  readonly index: number;
  readonly type: ValueType;
}

export const get = (local: Local): Code => [0x20, ...uleb(local.index)];

/** One function: parameters, locals and statements; no result. */
export class FunctionWriter {
  readonly parameters: readonly Local[];
  readonly #locals: ValueType[] = [];
  readonly #code: number[] = [];

  constructor(parameters: readonly ValueType[]) {
    this.parameters = parameters.map((type, index) => ({ index, type }));
  }

  parameter(index: number): Local {
    const found = this.parameters[index];
    if (!found) throw new Error(`function has ${this.parameters.length} parameters, not ${index + 1}`);
    return found;
  }

  /** A new local, 0 at the start of every call. */
  local(type: ValueType): Local {
    const index = this.parameters.length + this.#locals.length;
    this.#locals.push(type);
    return { index, type };
  }

  /** Appends a statement. */
  emit(code: Code): void {
    for (const byte of code) this.#code.push(byte);
  }

  set(local: Local, value: Code): void {
    this.emit([...value, 0x21, ...uleb(local.index)]);
  }

  /** A new local that holds `value`. */
  let(type: ValueType, value: Code): Local {
    const made = this.local(type);
    this.set(made, value);
    return made;
  }

  call(index: number, ...operands: readonly Code[]): void {
    this.emit([...operands.flat(), 0x10, ...uleb(index)]);
  }

  /** do { body } while (condition): at least once. */
  loopWhile(body: () => void, condition: () => Code): void {
    this.emit([0x03, 0x40]);
    body();
    this.emit([...condition(), 0x0d, 0, 0x0b]);
  }

  /** for (counter = from; counter ≠ to; counter += step) body; at least once. */
  loop(counter: Local, from: Code, to: Code, step: number, body: () => void): void {
    this.set(counter, from);
    this.loopWhile(
      () => {
        body();
        this.set(counter, op('i32.add', get(counter), i32(step)));
      },
      () => op('i32.ne', get(counter), to),
    );
  }

  ifElse(condition: Code, then: () => void, otherwise: () => void): void {
    this.emit([...condition, 0x04, 0x40]);
    then();
    this.emit([0x05]);
    otherwise();
    this.emit([0x0b]);
  }

  /** Locals as runs of one type, statements, end; with its size in front. */
  body(): number[] {
    const runs: [number, ValueType][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    const locals = runs.flatMap(([count, type]) => [...uleb(count), TYPE_BYTE[type]]);
    const size = uleb(runs.length).length + locals.length + this.#code.length + 1;
    const bytes = [...uleb(size), ...uleb(runs.length), ...locals];
    for (const byte of this.#code) bytes.push(byte);
    bytes.push(0x0b);
    return bytes;
  }
}

const BYTES_PER_PAGE = 65_536;

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const contents = uleb(items.length);
  for (const item of items) for (const byte of item) contents.push(byte);
  const bytes = [id, ...uleb(contents.length)];
  for (const byte of contents) bytes.push(byte);
  return bytes;
}

const nameBytes = (name: string): number[] => {
  const bytes = new TextEncoder().encode(name);
  return [...uleb(bytes.length), ...bytes];
};

/** One module with one memory, exported as `memory`, and functions without results. */
export class ModuleWriter {
  readonly #functions: { readonly writer: FunctionWriter; readonly exported: string | undefined }[] = [];

  /** @returns the function's index, for `call` */
  add(writer: FunctionWriter, exported?: string): number {
    return this.#functions.push({ writer, exported }) - 1;
  }

  bytes(memoryBytes: number): Uint8Array<ArrayBuffer> {
    const functions = this.#functions;
    const types = functions.map(({ writer }) => [
      0x60,
      ...uleb(writer.parameters.length),
      ...writer.parameters.map((p) => TYPE_BYTE[p.type]),
      0,
    ]);
    const exports = functions.flatMap(({ exported }, index) =>
      exported === undefined ? [] : [[...nameBytes(exported), 0, ...uleb(index)]],
    );
    const pages = uleb(Math.ceil(memoryBytes / BYTES_PER_PAGE));
    const sections = [
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, types),
      section(
        3,
        functions.map((_, index) => uleb(index)),
      ),
      section(5, [[0, ...pages]]),
      section(7, [[...nameBytes('memory'), 2, 0], ...exports]),
      section(
        10,
        functions.map(({ writer }) => writer.body()),
      ),
    ];
    return Uint8Array.from(sections.flat());
  }
}
