/**
 * From the worker to the model: the page asks for the next update once per animation frame. A hidden page gets no
 * frames, so it stops asking, and the worker keeps the newest of everything until it does.
 */
import type { MonitorUpdate } from '../worker/updates.ts';
import { applyUpdate, type Model } from './model/model.ts';

const nextFrame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve));

/** Runs until the worker is gone; never rejects. */
export async function followWorker(model: Model, next: () => Promise<MonitorUpdate>): Promise<void> {
  for (;;) {
    applyUpdate(model, await next());
    await nextFrame();
  }
}
