/** How many cases each property of the fuzzing has; `sum.test.ts` holds the sum against what is promised. */
export const CASES = {
  'moments frames': 10_000,
  'block frames': 10_000,
  'spectrum frames': 8_000,
  'arbitrary bytes as frames': 6_000,
  'messages of a client': 12_000,
  'messages of the bridge': 4_000,
  'records of the input': 10_000,
  'sequences of records': 1_500,
  'operators among records': 500,
  'files among rubbish': 1_500,
  'progress records': 2_000,
  'values of results': 5_000,
  'headers of results': 5_000,
  'HTTP requests': 4_000,
  'WebSocket frames': 2_000,
  'values of options': 8_000,
  'configuration files': 6_000,
  'file names': 5_000,
  folders: 200,
  'run names': 6_000,
  'views in the address': 6_000,
  'exports as CSV': 600,
  'exports as NPZ': 600,
  'answers of processors': 5_000,
} as const satisfies Readonly<Record<string, number>>;

export type PropertyName = keyof typeof CASES;
