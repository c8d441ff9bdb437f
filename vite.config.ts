/**
 * Two builds in one: the pages (`web/index.html` and `web/offline.html` → `dist/web`) and the commands (`bridge/commands/haloscope.ts`
 * and the threads that they start → `dist/node`). The commands serve the page from `../web`, so every chunk of
 * the Node build lies in one flat folder and `import.meta.url` means the same in all of them.
 */
import { chmodSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { interpolateViridis } from 'd3-scale-chromatic';
import { defineConfig, type Plugin } from 'vite';
import { writePrecache } from './scripts/precache.mjs';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(readFileSync(at('package.json'), 'utf8')) as Manifest;

/** Constants that the build writes into the sources; `vitest.config.ts` gives the tests the same ones. */
export const buildConstants = {
  __SOFTWARE_VERSION__: JSON.stringify(manifest.version),
  // The library comes as one file with every colour map there is: 15 KB where a page needs one of 256 steps.
  __VIRIDIS__: JSON.stringify(
    Array.from({ length: 256 }, (_, i) => interpolateViridis(i / 255).slice(1)).join(''),
  ),
};

/** What the Node build consists of: name of the output → source. Workers are started by their output's name. */
const nodeEntries = {
  haloscope: at('bridge/commands/haloscope.ts'),
  'engine-worker': at('web/engine/pool-worker-node.ts'),
  'doctor-dawn': at('bridge/commands/doctor/dawn-child.ts'),
};

/** Dependencies are resolved at run time from `node_modules`; the bundle holds our own code only. */
const isExternal = (id: string): boolean =>
  isBuiltin(id) ||
  Object.keys(manifest.dependencies).some((name) => id === name || id.startsWith(`${name}/`));

/** Makes the command executable, as `npx haloscope` and a shell expect. */
const executable = (): Plugin => ({
  name: 'haloscope:executable',
  applyToEnvironment: (environment) => environment.name === 'node',
  writeBundle: () => chmodSync(at('dist/node/haloscope.js'), 0o755),
});

/** The service worker of the offline page learns what belongs to it when everything is there. */
const precache = (): Plugin => ({
  name: 'haloscope:precache',
  applyToEnvironment: (environment) => environment.name === 'client',
  writeBundle: () => writePrecache(at('dist/web')),
});

/** Where a service worker may answer for them: a worker is judged by the address of its script. */
const workerFolder = (name: string): string => (name.startsWith('offline') ? 'offline-assets' : 'assets');

export default defineConfig({
  root: at('web'),
  publicDir: at('public'),
  envDir: false,
  // Relative, so that the same page works from the bridge, from a static server and under a path.
  base: './',
  define: buildConstants,
  plugins: [executable(), precache()],
  worker: {
    format: 'es',
    rolldownOptions: {
      output: { entryFileNames: ({ name }) => `${workerFolder(name)}/[name]-[hash].js` },
    },
  },
  builder: {
    buildApp: async (builder) => {
      for (const name of ['client', 'node']) {
        const environment = builder.environments[name];
        if (environment === undefined) throw new Error(`the build knows no environment "${name}"`);
        await builder.build(environment);
      }
    },
  },
  environments: {
    client: {
      build: {
        outDir: at('dist/web'),
        emptyOutDir: true,
        // Nothing becomes a data: URL, which the bridge's Content-Security-Policy would refuse.
        assetsInlineLimit: 0,
        rolldownOptions: {
          input: {
            index: at('web/index.html'),
            offline: at('web/offline.html'),
            // At the top and without a hash: its place says how far it reaches, its content which version it is.
            'offline-sw': at('web/offline/browser/service-worker.ts'),
          },
          output: {
            entryFileNames: ({ name }) => (name === 'offline-sw' ? '[name].js' : 'assets/[name]-[hash].js'),
          },
        },
      },
    },
    node: {
      consumer: 'server',
      resolve: { external: true, conditions: ['node', 'import', 'module', 'default'] },
      build: {
        outDir: at('dist/node'),
        emptyOutDir: true,
        copyPublicDir: false,
        ssr: true,
        target: 'node20',
        minify: false,
        sourcemap: true,
        rolldownOptions: {
          input: nodeEntries,
          external: isExternal,
          output: {
            format: 'es',
            entryFileNames: '[name].js',
            chunkFileNames: '[name]-[hash].js',
            banner: (chunk) => (chunk.name === 'haloscope' ? '#!/usr/bin/env node' : ''),
          },
        },
      },
    },
  },
});
