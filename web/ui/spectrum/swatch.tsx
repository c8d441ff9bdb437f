/** A line as it is drawn: thick, thin or dotted, over its band. */
export function Swatch() {
  return (
    <svg class="swatch" viewBox="0 0 28 12" aria-hidden="true">
      <rect class="swatch-band" x="0" y="1" width="28" height="10" />
      <line class="swatch-line" x1="1" y1="6" x2="27" y2="6" />
    </svg>
  );
}
