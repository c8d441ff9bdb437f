/**
 * The browser: which one the system has, and whether it offers a WebGPU adapter. It is started once, without a
 * window, with a page of ours that asks for an adapter and reports; that takes a second or two.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import * as schema from 'valibot';
import { browserVersion, findBrowser, startHeadless } from '../../chromium.ts';
import type { Finding, Health } from './report.ts';

/** A cold start on a slow disk. */
const ANSWER_LIMIT_MS = 20_000;

const LOOK_YOURSELF = 'open the page in it and press E: that measures every engine it has';
const NO_ADAPTER_ADVICE =
  `${LOOK_YOURSELF}. A browser with a window may have an adapter where this one has none. On Linux, Chrome offers ` +
  'WebGPU by itself for Intel Gen12 and newer (from 144) and NVIDIA drivers from 535.183.01 (147); otherwise ' +
  'start it with --enable-unsafe-webgpu --enable-features=Vulkan, and see chrome://gpu';

const ANSWER = schema.object({
  webgpu: schema.boolean(),
  adapter: schema.nullable(schema.object({ name: schema.string(), software: schema.boolean() })),
});
type Answer = schema.InferOutput<typeof ANSWER>;

/** Loopback is a secure context, so WebGPU is there if the browser has it. */
const PAGE = `<!doctype html><title>haloscope doctor</title><script type="module">
const adapter = navigator.gpu ? await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }) : null;
const info = adapter?.info;
const name = info && (info.description || info.device || [info.vendor, info.architecture].join(' ').trim());
await fetch('/answer', { method: 'POST', body: JSON.stringify({
  webgpu: Boolean(navigator.gpu),
  adapter: info ? { name: name || 'unnamed GPU', software: Boolean(info.isFallbackAdapter) } : null,
}) });
</script>`;

const finding = (what: string, health: Health, found: string, advice: string | null): Finding => ({
  part: 'browser',
  what,
  health,
  found,
  advice,
});

export async function examineBrowser(file: string | undefined = findBrowser()): Promise<Finding[]> {
  if (file === undefined) {
    const advice = 'any browser on any machine may show the page; Chrome, Chromium and Edge have WebGPU';
    return [finding('Chrome', 'note', 'none found on this machine', advice)];
  }
  const version = (await browserVersion(file)) ?? 'version unknown';
  return [finding('Chrome', 'well', `${version}, ${file}`, null), webgpuFinding(await askBrowser(file))];
}

function webgpuFinding(answer: Answer | string): Finding {
  if (typeof answer === 'string') return finding('WebGPU', 'note', answer, LOOK_YOURSELF);
  const { webgpu, adapter } = answer;
  if (!webgpu)
    return finding('WebGPU', 'note', 'this browser has none', 'Chrome and Edge have it from 113 on');
  if (adapter === null) return finding('WebGPU', 'note', 'no adapter without a window', NO_ADAPTER_ADVICE);
  if (adapter.software) {
    return finding('WebGPU', 'note', `software adapter ${adapter.name}`, NO_ADAPTER_ADVICE);
  }
  return finding('WebGPU', 'well', adapter.name, null);
}

/** @returns the page's answer, or in words why there is none */
async function askBrowser(file: string): Promise<Answer | string> {
  let answered: (answer: Answer | string) => void = () => {};
  const answer = new Promise<Answer | string>((resolve) => {
    answered = resolve;
  });
  const server = createServer((request, response) => {
    if (request.method !== 'POST') {
      response.setHeader('Content-Type', 'text/html').end(PAGE);
      return;
    }
    text(request)
      .then((body) => answered(schema.parse(ANSWER, JSON.parse(body))))
      .catch((error: unknown) => answered(`its page gave a wrong answer: ${String(error)}`))
      .finally(() => response.end());
  });
  const url = await listen(server);
  const browser = await startHeadless(file, url);
  const timer = new AbortController();
  try {
    return await Promise.race([
      answer,
      browser.ended.then(() => 'it ended at once when started without a window'),
      sleep(ANSWER_LIMIT_MS, 'it was started without a window and its page did not answer', timer),
    ]);
  } finally {
    timer.abort();
    await browser.stop();
    server.closeAllConnections();
    server.close();
  }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
