/** Files out of folders within folders, in each form in which browsers show them. */
import { expect, test } from 'vitest';
import { gather, type Root } from '../../../web/offline/browser/gather.ts';
import type { PlainProblem } from '../../../web/offline/browser/types.ts';

/** A folder as a tree: a name → a folder, the text of a file, or an error that it answers with. */
interface Tree {
  readonly [name: string]: Tree | string | Error;
}

type Children = readonly (readonly [string, Tree | string | Error])[];

const isTree = (what: Tree | string | Error): what is Tree =>
  typeof what === 'object' && !(what instanceof Error);

const failure = (name: string): Error => Object.assign(new Error(name), { name });

function fileOf(name: string, what: string | Error): File {
  if (what instanceof Error) throw what;
  return new File([what], name);
}

/** What a Chromium shows. */
function handleOf(name: string, what: Tree | string | Error, broken?: Error): Root {
  if (!isTree(what)) return { kind: 'file', name, getFile: async () => fileOf(name, what) } as Root;
  return {
    kind: 'directory',
    name,
    values: async function* () {
      for (const [inner, child] of Object.entries(what) as Children) yield handleOf(inner, child);
      if (broken !== undefined) throw broken;
    },
  } as unknown as Root;
}

/** What other browsers show: at most 100 entries at a time. */
function entryOf(name: string, what: Tree | string | Error): Root {
  if (!isTree(what)) {
    const file = (resolve: (file: File) => void, reject: (error: Error) => void): void => {
      if (what instanceof Error) reject(what);
      else resolve(fileOf(name, what));
    };
    return { isFile: true, isDirectory: false, name, file } as unknown as Root;
  }
  const createReader = () => {
    const left = (Object.entries(what) as Children).map(([inner, child]) => entryOf(inner, child));
    return { readEntries: (resolve: (some: Root[]) => void) => resolve(left.splice(0, 100)) };
  };
  return { isFile: false, isDirectory: true, name, createReader } as unknown as Root;
}

async function gathered(roots: readonly Root[], signal = new AbortController().signal) {
  const batches: string[][] = [];
  const problems: PlainProblem[] = [];
  const done = gather(
    roots,
    {
      found: (entries) => void batches.push(entries.map(({ path }) => path)),
      problem: (problem) => void problems.push(problem),
    },
    signal,
  );
  const error: unknown = await done.then(
    () => null,
    (reason: unknown) => reason,
  );
  return {
    batches,
    paths: batches.flat().toSorted(),
    problems: problems.map(({ path, reason }) => `${path}: ${reason}`),
    error,
  };
}

const many: Tree = Object.fromEntries(Array.from({ length: 950 }, (_, k) => [`f${k}`, 'x']));
const tree: Tree = { a: 'one', b: { c: 'two', d: { e: 'three' } }, many };
const expected = ['top/a', 'top/b/c', 'top/b/d/e', ...Object.keys(many).map((name) => `top/many/${name}`)];

test.for([
  ['handles', handleOf],
  ['entries', entryOf],
] as const)(
  '%s: every file at any depth, in batches, with the path from what was dropped',
  async ([, of]) => {
    const { paths, batches, problems, error } = await gathered([of('top', tree), of('alone', 'text')]);
    expect(error).toBeNull();
    expect(problems).toEqual([]);
    expect(paths).toEqual(['alone', ...expected].toSorted());
    expect(batches.length).toBeGreaterThan(2);
  },
);

test('plain files keep the path that an input of a folder gives them', async () => {
  const inFolder = new File(['x'], 'c');
  Object.defineProperty(inFolder, 'webkitRelativePath', { value: 'top/b/c' });
  const { paths } = await gathered([inFolder, new File(['y'], 'alone')].map(withPath));
  expect(paths).toEqual(['alone', 'top/b/c']);
});

/** Node's files lack what an input adds. */
function withPath(file: File): File {
  if (!('webkitRelativePath' in file)) Object.defineProperty(file, 'webkitRelativePath', { value: '' });
  return file;
}

test('a folder that breaks off keeps what it has shown, and the rest goes on', async () => {
  const roots = [handleOf('broken', { a: 'x' }, failure('NotAllowedError')), handleOf('whole', { b: 'y' })];
  const { paths, problems, error } = await gathered(roots);
  expect(error).toBeNull();
  expect(paths).toEqual(['broken/a', 'whole/b']);
  expect(problems).toEqual([
    expect.stringMatching(/broken: this computer does not let the browser read the folder; look at its perm/),
  ]);
});

test.for([
  ['handles', handleOf],
  ['entries', entryOf],
] as const)('%s: files that cannot be read are named', async ([, of]) => {
  const what = { gone: failure('NotFoundError'), locked: failure('NotReadableError'), odd: failure('Odd') };
  const { paths, problems } = await gathered([of('top', { ...what, good: 'x' })]);
  expect(paths).toEqual(['top/good']);
  expect(problems).toEqual([
    'top/gone: the file is not there any more',
    expect.stringMatching(/^top\/locked: .* permissions/),
    'top/odd: the file cannot be read (Odd); drop it again',
  ]);
});

test('a circle of links ends', async () => {
  const circle: Record<string, unknown> = { kind: 'directory', name: 'again' };
  circle['values'] = async function* () {
    yield circle;
    yield handleOf('file', 'x');
  };
  const { paths, problems } = await gathered([circle as unknown as Root]);
  expect(paths).toHaveLength(32);
  expect(problems).toEqual([expect.stringContaining('a link may lead in circles')]);
});

test('cancelled: ends with an AbortError, and tells no more', async () => {
  const stop = new AbortController();
  const batches: number[] = [];
  const done = gather(
    [handleOf('top', tree)],
    {
      found: ({ length }) => {
        batches.push(length);
        stop.abort();
      },
      problem: () => {},
    },
    stop.signal,
  );
  await expect(done).rejects.toMatchObject({ name: 'AbortError' });
  expect(batches).toHaveLength(1);
});
