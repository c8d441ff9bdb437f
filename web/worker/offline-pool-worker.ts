/**
 * Entry of a pool worker of the offline page: the same as any other, at an address for which that page's service
 * worker may answer.
 */
import '../engine/pool-worker-browser.ts';
