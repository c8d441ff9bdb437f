/**
 * Why the producer cannot send at all. A closed list.
 * - `no-folder`: the folder cannot be read
 * - `no-pairs`: there is no file pair in it
 * - `other-content`: the topic holds this run with other samples than the folder
 * - `other-geometry`: the topic holds this run with another slice length
 * - `repartitioned`: the topic has got more partitions in the middle of this run
 * - `no-order`: the last message of this run does not lie where a producer like this one would have put it
 */
export type ProduceErrorCode =
  | 'no-folder'
  | 'no-pairs'
  | 'other-content'
  | 'other-geometry'
  | 'repartitioned'
  | 'no-order';

export class ProduceError extends Error {
  readonly code: ProduceErrorCode;
  constructor(code: ProduceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProduceError';
    this.code = code;
  }
}
