/** Real adapters and devices with one thing changed, to see what the engine makes of it. */

/** Forwards everything to `target`, methods bound to it, except what `changes` has. */
function forward<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      if (key in changes) return changes[key as keyof T];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

export interface Spy {
  readonly gpu: GPU;
  /** Devices given out, the newest last. */
  readonly devices: GPUDevice[];
  /** Buffers made on any of them. */
  buffers: number;
  /** Set: every buffer is asked for in the largest size there may be, which the driver answers with an error. */
  memoryGone: boolean;
}

export interface SpyChanges {
  /** Changes the text of every kernel. */
  readonly kernel?: (text: string) => string;
  /** Whether the next adapter is there; asked at every request. */
  readonly adapterThere?: () => boolean;
  /** What the adapter says of itself. */
  readonly fallback?: boolean;
}

/** The same WebGPU, which remembers its devices. */
export function spyOn(gpu: GPU, changes: SpyChanges = {}): Spy {
  const { kernel = (text) => text, adapterThere = () => true, fallback } = changes;
  const devices: GPUDevice[] = [];
  const wrapDevice = (device: GPUDevice): GPUDevice => {
    devices.push(device);
    return forward(device, {
      createShaderModule: (d) => device.createShaderModule({ ...d, code: kernel(d.code) }),
      createBuffer: (d) => {
        spy.buffers++;
        return device.createBuffer(spy.memoryGone ? { ...d, size: device.limits.maxBufferSize } : d);
      },
    });
  };
  const wrapAdapter = (adapter: GPUAdapter): GPUAdapter =>
    forward(adapter, {
      requestDevice: async (d) => {
        const requiredLimits = { maxBufferSize: adapter.limits.maxBufferSize };
        return wrapDevice(await adapter.requestDevice({ ...d, requiredLimits }));
      },
      ...(fallback !== undefined && { info: forward(adapter.info, { isFallbackAdapter: fallback }) }),
    });
  const spy: Spy = {
    gpu: forward(gpu, {
      requestAdapter: async (options) => {
        const adapter = adapterThere() ? await gpu.requestAdapter(options) : null;
        return adapter && wrapAdapter(adapter);
      },
    }),
    devices,
    buffers: 0,
    memoryGone: false,
  };
  return spy;
}
