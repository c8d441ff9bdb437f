/**
 * The device: how it is asked for, what it is called, and how its faults become the errors of an engine.
 */
import { EngineError } from '../engine.ts';

/** Which flag or driver helps where there is no adapter. */
export const NO_ADAPTER =
  'the browser offers no WebGPU adapter: on Linux, Chrome does so by itself for Intel Gen12 and newer (from ' +
  'Chrome 144) and for NVIDIA drivers from 535.183.01 (Chrome 147); otherwise start it with ' +
  '--enable-unsafe-webgpu --enable-features=Vulkan, and see chrome://gpu';

/** A fresh adapter: one that gave a device, or lost it, is spent. @throws {EngineError} `unavailable` */
export async function requestAdapter(gpu: GPU): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new EngineError('unavailable', NO_ADAPTER);
  return adapter;
}

/** Name for a person: what the driver says of itself, or else maker and family. */
export function adapterName({ info }: GPUAdapter): string {
  const said = info.description || info.device;
  return said || [info.vendor, info.architecture].filter((part) => part !== '').join(' ') || 'unnamed GPU';
}

/** A device with the default limits, and timestamps where the adapter has them. */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const wanted: GPUFeatureName[] = adapter.features.has('timestamp-query') ? ['timestamp-query'] : [];
  try {
    return await adapter.requestDevice({ label: 'haloscope', requiredFeatures: wanted });
  } catch (cause) {
    throw new EngineError('unavailable', `${adapterName(adapter)} gives no device: ${String(cause)}`, {
      cause,
    });
  }
}

/** By name, because Dawn in Node has no global error classes. */
function faultOf(error: GPUError): EngineError {
  const kind = error.constructor.name;
  if (kind === 'GPUOutOfMemoryError') {
    return new EngineError('out-of-memory', `the GPU has no memory left: ${error.message}`);
  }
  return new EngineError('unavailable', `the GPU refused a command (${kind}): ${error.message}`);
}

/**
 * Reports every fault of a device once it happens: loss, and errors that nobody waited for. Nothing may be read
 * back after one, because what is read would be the previous answer.
 */
export function watchDevice(device: GPUDevice, onFault: (fault: EngineError) => void): void {
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    onFault(faultOf(event.error));
  });
  void device.lost.then(({ reason, message }) => {
    onFault(new EngineError('device-lost', `the GPU was lost (${reason}): ${message || 'no reason given'}`));
  });
}

/**
 * Runs `make`, which must not wait for anything (scopes of a device are a stack), and asks the GPU about it.
 * @throws {EngineError} `out-of-memory`, `unavailable`
 */
export async function checked<T>(device: GPUDevice, make: () => T): Promise<T> {
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  let made: T;
  let answers: Promise<(GPUError | null)[]>;
  try {
    made = make();
  } finally {
    answers = Promise.all([device.popErrorScope(), device.popErrorScope()]);
  }
  const error = (await answers).find((answer) => answer !== null);
  if (error) throw faultOf(error);
  return made;
}
