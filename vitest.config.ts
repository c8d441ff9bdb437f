/**
 * The tests, in projects by what they need: `unit` and `fuzz` nothing, `gpu` a WebGPU adapter (software will do),
 * `broker` a real Kafka, `e2e` Kafka, a built `dist` and a real Chromium, `pictures` the latter two.
 * `npm test` provides all of it and runs all of them.
 * `faults` needs the same as `e2e` and takes longer: the list of failures, run by `npm run test:faults`.
 */
import { defineConfig } from 'vitest/config';
import { softwareAdapterEnvironment } from './scripts/machine.mjs';
import { buildConstants } from './vite.config.ts';

const MINUTE_MS = 60_000;

/** One file at a time: a broker and a browser want the machine for themselves. */
const alone = { fileParallelism: false, testTimeout: MINUTE_MS, hookTimeout: 2 * MINUTE_MS };

export default defineConfig({
  define: buildConstants,
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{fuzz,gpu,broker,e2e,pictures,faults,soak,bench}/**'],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          ...alone,
          name: 'soak',
          include: ['test/soak/**/*.test.ts'],
          // What a run of hours says is read while it runs.
          disableConsoleIntercept: true,
          sequence: { groupOrder: 6 },
        },
      },
      {
        extends: true,
        test: {
          name: 'fuzz',
          include: ['test/fuzz/**/*.test.ts'],
          globalSetup: ['test/fuzz/count.ts'],
          sequence: { groupOrder: 5 },
        },
      },
      {
        extends: true,
        test: {
          ...alone,
          name: 'gpu',
          include: ['test/gpu/**/*.test.ts'],
          env: softwareAdapterEnvironment(),
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...alone,
          name: 'broker',
          include: ['test/broker/**/*.test.ts'],
          globalSetup: ['test/broker/shared-kafka.ts'],
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          ...alone,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/broker/shared-kafka.ts'],
          testTimeout: 3 * MINUTE_MS,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          ...alone,
          name: 'pictures',
          include: ['test/pictures/**/*.test.ts'],
          testTimeout: 3 * MINUTE_MS,
          sequence: { groupOrder: 7 },
        },
      },
      {
        extends: true,
        test: {
          ...alone,
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          globalSetup: ['test/broker/shared-kafka.ts'],
          testTimeout: 3 * MINUTE_MS,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
