/** The part of `@echogarden/pffft-wasm` that is used; it brings no types. Pointers are bytes in `HEAPF32.buffer`. */
declare module '@echogarden/pffft-wasm/simd' {
  export interface PffftModule {
    readonly HEAPF32: Float32Array;
    readonly _pffft_new_setup: (length: number, kind: number) => number;
    readonly _pffft_aligned_malloc: (bytes: number) => number;
    readonly _pffft_transform_ordered: (
      setup: number,
      from: number,
      to: number,
      work: number,
      direction: number,
    ) => void;
  }
  const load: () => Promise<PffftModule>;
  export default load;
}
