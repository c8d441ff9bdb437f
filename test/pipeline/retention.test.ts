/** Hours until the input deletes what is not processed: arithmetic, state, metric and alarm. */
import pino from 'pino';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Alarms } from '../../bridge/alarms.ts';
import { hoursLeft } from '../../bridge/log/kafka/retention.ts';
import { LogError, type PartitionRetention } from '../../bridge/log/port.ts';
import { BridgeMetrics } from '../../bridge/metrics.ts';
import { RetentionMeter } from '../../bridge/retention.ts';
import { harness } from '../assembly/helpers.ts';

const HOUR_MS = 3_600_000;

describe('hours left', () => {
  /** 16 records of 1 MB a second: one cavity. */
  const waiting = { records: 0, bytesPerRecord: 1e6, recordsPerMs: 0.016, ageMs: 0 };
  const limits = { ms: 24 * HOUR_MS, bytes: Infinity };

  test('by age: what is as old as the limit goes', () => {
    expect(hoursLeft(limits, waiting)).toBe(24);
    expect(hoursLeft(limits, { ...waiting, records: 5, ageMs: 20 * HOUR_MS })).toBe(4);
    expect(hoursLeft(limits, { ...waiting, records: 5, ageMs: 25 * HOUR_MS })).toBe(0);
  });

  test('by size: the rate at which data come fills what is free', () => {
    const bytes = 57.6e9;
    expect(hoursLeft({ ms: Infinity, bytes }, waiting)).toBeCloseTo(1);
    expect(hoursLeft({ ms: Infinity, bytes }, { ...waiting, records: 28_800 })).toBeCloseTo(0.5);
    expect(hoursLeft({ ms: Infinity, bytes }, { ...waiting, records: 60_000 })).toBe(0);
    expect(hoursLeft({ ms: Infinity, bytes }, { ...waiting, recordsPerMs: 0 })).toBe(Infinity);
    expect(hoursLeft({ ms: 0.25 * HOUR_MS, bytes }, waiting)).toBe(0.25);
  });

  test('without a limit for ever', () => {
    expect(hoursLeft({ ms: Infinity, bytes: Infinity }, { ...waiting, records: 9, ageMs: 1 })).toBe(Infinity);
  });
});

describe('the meter', () => {
  let answer: readonly PartitionRetention[] | LogError;
  const asked: number[][] = [];
  const logger = pino({ level: 'silent' });
  const alarms = new Alarms(logger);
  const metrics = new BridgeMetrics();
  const retention = {
    measure: async (watermarks: ReadonlyMap<number, number>) => {
      asked.push([...watermarks].flat());
      if (answer instanceof LogError) throw answer;
      return answer;
    },
    close: () => {},
  };
  const { assembler } = harness();
  assembler.beginAt(0, 7, 9);
  let meter: RetentionMeter;
  beforeEach(() => {
    meter = new RetentionMeter({ retention, inputName: 'chunk_data', alarms, metrics, logger });
  });
  const look = async (partitions: typeof answer): Promise<void> => {
    answer = partitions;
    meter.reset();
    const before = asked.length;
    meter.tick([assembler], 0);
    await vi.waitFor(() => expect(asked.length).toBe(before + 1));
    await new Promise((resolve) => setImmediate(resolve));
  };
  const metric = async (): Promise<string[]> =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('haloscope_retention'));

  test('asks with the watermarks, and shows the least of the answers', async () => {
    await look([
      { partition: 0, hoursLeft: 20, hoursKept: 24 },
      { partition: 1, hoursLeft: Infinity, hoursKept: Infinity },
    ]);
    expect(asked.at(-1)).toEqual([0, 7]);
    expect(meter.state()).toEqual({
      hoursLeft: 20,
      partitions: [
        { partition: 0, hoursLeft: 20 },
        { partition: 1, hoursLeft: null },
      ],
    });
    expect(await metric()).toEqual([
      'haloscope_retention_hours_left{partition="0"} 20',
      'haloscope_retention_hours_left{partition="1"} +Inf',
    ]);
    expect(alarms.list()).toEqual([]);
  });

  test('alarms below six hours; where the log keeps no more at best, when a quarter of it is used up', async () => {
    await look([{ partition: 0, hoursLeft: 5.9, hoursKept: 5.97 }]);
    expect(alarms.list()).toEqual([]);
    await look([
      { partition: 0, hoursLeft: 6.1, hoursKept: 24 },
      { partition: 3, hoursLeft: 5.9, hoursKept: 24 },
    ]);
    await look([{ partition: 0, hoursLeft: 4.4, hoursKept: 5.97 }]);
    const [alarm] = alarms.list();
    expect(alarm).toMatchObject({ code: 'retention', count: 2 });
    expect(alarm?.message).toContain('partition 0: data that are not processed will be deleted in 4.4 hours');
  });

  test('what the broker does not say is not known', async () => {
    await look([{ partition: 0, hoursLeft: 5, hoursKept: 5 }]);
    await look(new LogError('unauthorized', 'no'));
    expect(meter.state()).toBeNull();
    expect(await metric()).toEqual([]);
  });
});
