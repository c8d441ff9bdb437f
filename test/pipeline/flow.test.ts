import { beforeEach, expect, test } from 'vitest';
import { FlowControl } from '../../bridge/flow.ts';

const MIB = 1024 * 1024;
const ALL = [0, 1, 2, 3];
const NONE = new Set<number>();

let calls: string[];
let flow: FlowControl;
beforeEach(() => {
  calls = [];
  flow = new FlowControl({
    pause: (partitions) => calls.push(`pause ${partitions?.join()}`),
    resume: (partitions) => calls.push(`resume ${partitions?.join()}`),
  });
});

test('reading pauses at the bound, and resumes only well below it', () => {
  flow.apply(ALL, 31 * MIB, true, NONE);
  flow.apply(ALL, 32 * MIB, true, NONE);
  flow.apply(ALL, 28 * MIB, true, NONE);
  expect(calls).toEqual(['pause 0,1,2,3']);
  flow.apply(ALL, 23 * MIB, true, NONE);
  expect(calls).toEqual(['pause 0,1,2,3', 'resume 0,1,2,3']);
});

test('without a processor one block is enough', () => {
  flow.apply(ALL, 4 * MIB, false, NONE);
  expect(calls).toEqual(['pause 0,1,2,3']);
  flow.apply(ALL, 4 * MIB, true, NONE);
  expect(calls).toEqual(['pause 0,1,2,3', 'resume 0,1,2,3']);
});

test('a partition that is ahead waits alone', () => {
  flow.apply(ALL, 0, true, new Set([2]));
  expect(flow.isPaused(2)).toBe(true);
  expect(flow.isPaused(1)).toBe(false);
  flow.apply(ALL, 0, true, new Set([1]));
  expect(calls).toEqual(['pause 2', 'pause 1', 'resume 2']);
});

test('a new assignment begins without pauses', () => {
  flow.apply(ALL, 64 * MIB, true, NONE);
  flow.reset();
  expect(flow.isPaused(0)).toBe(false);
  flow.apply(ALL, 64 * MIB, true, NONE);
  expect(calls).toEqual(['pause 0,1,2,3', 'pause 0,1,2,3']);
});
