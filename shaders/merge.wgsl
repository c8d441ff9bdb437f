// Merges the partial moments of all workgroups of a block, and puts the bins in ascending frequency.
//
//   n    = Σ_g n_g
//   mean = K + Σ_g n_g·(mean_g − K) / n          K = mean_0: differences are small, so float32 loses nothing
//   M2   = Σ_g M2_g + n_g·(mean_g − mean)²
//
// Two passes over the partials, exact in real arithmetic: Chan, Golub & LeVeque, "Updating formulae and a
// pairwise algorithm for computing sample variances" (1979), eq. 2.1 with the mean known. Sums run in runs of
// 32 so that 512 partials lose no more than 48 would in one chain.
//
// One thread per bin. FFT bin k holds frequency k·fs/N, or (k − N)·fs/N from N/2 on; ascending order starts at
// −fs/2, so bin k goes to (k + N/2) mod N.

struct Params {
  partials: u32,
  slices: f32,
}

@group(0) @binding(0) var<storage, read> moments: array<f32>;        // [partials][2][bins]
@group(0) @binding(1) var<storage, read> sums: array<f32>;           // [partials][record]; word 0: slices
@group(0) @binding(2) var<storage, read_write> merged: array<f32>;   // [2][bins]
@group(0) @binding(3) var<uniform> params: Params;

override bins: u32;
override record: u32;

const run = 32u;

fn slices_of(partial: u32) -> f32 {
  return sums[partial * record];
}

@compute @workgroup_size(64)
fn merge(@builtin(global_invocation_id) id: vec3u) {
  let k = id.x;
  if (k >= bins) {
    return;
  }
  let row = 2u * bins;
  let pivot = moments[k];

  var shift = 0.0f;
  for (var first = 0u; first < params.partials; first += run) {
    var part = 0.0f;
    for (var g = first; g < min(first + run, params.partials); g++) {
      part += slices_of(g) * (moments[g * row + k] - pivot);
    }
    shift += part;
  }
  let mean = pivot + shift / params.slices;

  var m2 = 0.0f;
  for (var first = 0u; first < params.partials; first += run) {
    var part = 0.0f;
    for (var g = first; g < min(first + run, params.partials); g++) {
      let d = moments[g * row + k] - mean;
      part += moments[g * row + bins + k] + slices_of(g) * d * d;
    }
    m2 += part;
  }

  let ascending = (k + bins / 2u) % bins;
  merged[ascending] = mean;
  merged[bins + ascending] = m2;
}
