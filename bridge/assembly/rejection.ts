/**
 * Why a record was not used. A closed list: each reason is a value of the label of
 * `haloscope_slices_rejected_total{reason}`, and is named once in the log with topic, partition and offset.
 *
 * - `key-length`: the key is not 4 bytes
 * - `value-length`: the value is not a whole number of slices of I and Q
 * - `slice-count`: no slice, or more than fit one message
 * - `header`: a header is missing, unreadable, or contradicts the key
 * - `bins`: another slice length than the bridge's
 * - `geometry`: another sample rate or LO than the bridge's
 * - `checksum`: the value does not match its CRC-32
 * - `non-finite`: NaN or Inf among the samples; the file cannot be averaged
 * - `index-range`: slices beyond the end of the file
 * - `content`: a slice came twice with different content; the file is rejected
 * - `duplicate`: a slice came twice with the same content; dropped
 * - `already-published`: the file has its result; dropped
 * - `rejected-file`: belongs to a file that was rejected before; dropped
 */
export type RejectionReason =
  | 'key-length'
  | 'value-length'
  | 'slice-count'
  | 'header'
  | 'bins'
  | 'geometry'
  | 'checksum'
  | 'non-finite'
  | 'index-range'
  | 'content'
  | 'duplicate'
  | 'already-published'
  | 'rejected-file';

/** Reasons that are no fault of anybody: at-least-once delivery makes them. Counted, not alarmed. */
export const HARMLESS_REASONS: ReadonlySet<RejectionReason> = new Set(['duplicate', 'already-published']);

/** A record that cannot be used, with what was expected, what was found, and how many slices it held. */
export class Rejection extends Error {
  readonly reason: RejectionReason;
  readonly slices: number;
  constructor(reason: RejectionReason, message: string, slices = 0) {
    super(message);
    this.name = 'Rejection';
    this.reason = reason;
    this.slices = slices;
  }
}
