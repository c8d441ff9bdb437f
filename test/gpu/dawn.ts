/**
 * Dawn, the WebGPU of Chromium, in Node: the same kernels and the same engine without a browser.
 *
 * Without a GPU it runs on SwiftShader, the Vulkan driver in software that comes with Chromium. The Vulkan
 * loader lies beside it, where the system does not look for libraries; it is loaded here once by its path and
 * stays, and Dawn, which asks for it by name, gets that one.
 */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { create, globals } from 'webgpu';
import { softwareAdapterEnvironment } from '../../scripts/machine.mjs';

const LOADER = 'libvulkan.so.1';
/** Keeps a library after the attempt to load it as an add-on has failed; from glibc's and musl's dlfcn.h. */
const RTLD_NODELETE = 0x1000;

function provideVulkan(): void {
  const { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: driver } = softwareAdapterEnvironment();
  if (folder === undefined || driver === undefined) return;
  process.env['VK_ICD_FILENAMES'] ??= driver;
  const loader = join(folder, LOADER);
  if (!existsSync(loader)) return;
  try {
    process.dlopen({ exports: {} }, loader, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch (error) {
    // A library that is no add-on is loaded all the same, and this is how Node says so.
    if (!String(error).includes('did not self-register')) throw error;
  }
}

let opened: GPU | undefined;

/**
 * Dawn, one for the whole process. Dawn's objects live only as long as this one, so it is kept.
 * @param software whether SwiftShader may be used; otherwise the system's own drivers, if it has any
 */
export function openDawn(software: boolean): GPU {
  opened ??= open(software);
  return opened;
}

function open(software: boolean): GPU {
  if (software) provideVulkan();
  Object.assign(globalThis, globals);
  return create(process.platform === 'linux' ? ['backend=vulkan'] : []);
}

/**
 * `navigator.gpu` as Dawn has it; one for the whole process.
 * @throws {Error} where there is no adapter at all: a test that could not run has failed
 */
export async function dawn(): Promise<GPU> {
  const gpu = openDawn(true);
  if ((await gpu.requestAdapter()) === null) {
    throw new Error(
      'no WebGPU adapter: the tests of the kernels need Chromium (its SwiftShader is used) or a Vulkan driver',
    );
  }
  return gpu;
}
