/**
 * What kafkajs throws, as one of the port's errors. Judged by the protocol's error type, never by the message:
 * kafkajs wraps errors in up to three layers of others, so the whole chain of causes is looked at.
 */

import { LogError, type LogErrorCode } from '../port.ts';

/** https://kafka.apache.org/protocol#protocol_error_codes, as far as they have an answer of their own. */
const CODE_OF_TYPE: Readonly<Record<string, LogErrorCode>> = {
  INVALID_PRODUCER_EPOCH: 'fenced',
  PRODUCER_FENCED: 'fenced',
  MESSAGE_TOO_LARGE: 'too-large',
  RECORD_LIST_TOO_LARGE: 'too-large',
  UNKNOWN_TOPIC_OR_PARTITION: 'missing-topic',
  OFFSET_OUT_OF_RANGE: 'offset-lost',
  TOPIC_AUTHORIZATION_FAILED: 'unauthorized',
  GROUP_AUTHORIZATION_FAILED: 'unauthorized',
  CLUSTER_AUTHORIZATION_FAILED: 'unauthorized',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'unauthorized',
  SASL_AUTHENTICATION_FAILED: 'unauthorized',
};

/** Error code 90 is younger than kafkajs, which names it only in its message. */
const PRODUCER_FENCED_UNNAMED = 'Unknown error code 90';

const UNREACHABLE_NAMES = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSBrokerNotFound',
]);

interface KafkaJsError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly type?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

/**
 * @param doing what failed, for the message: `results: transaction`
 * @param otherwise the code where nothing more is known
 */
export function toLogError(error: unknown, doing: string, otherwise: LogErrorCode): LogError {
  if (error instanceof LogError) return error;
  const chain = causes(error);
  const code = chain.map(codeOf).find((known) => known !== null) ?? otherwise;
  const reason = chain.map(({ message }) => message).find(isText) ?? 'unknown';
  return new LogError(code, `${doing}: ${reason}`, { cause: error });
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Whether the error says that somebody else is the writer now. */
export function isFenced(error: unknown): boolean {
  return causes(error).some((cause) => codeOf(cause) === 'fenced');
}

/** Whether the broker has answered with this error, whatever kafkajs has wrapped around it. */
export function hasType(error: unknown, type: string): boolean {
  return causes(error).some((cause) => cause.type === type);
}

function codeOf(error: KafkaJsError): LogErrorCode | null {
  if (typeof error.type === 'string' && error.type in CODE_OF_TYPE) return CODE_OF_TYPE[error.type] ?? null;
  if (error.type === 'KAFKAJS_UNKNOWN_ERROR_CODE' && error.message === PRODUCER_FENCED_UNNAMED)
    return 'fenced';
  if (error.name === 'KafkaJSSASLAuthenticationError') return 'unauthorized';
  if (typeof error.name === 'string' && UNREACHABLE_NAMES.has(error.name)) return 'unreachable';
  return null;
}

/** The error, its causes and those of its parts, outermost first. */
function causes(error: unknown): KafkaJsError[] {
  const found: KafkaJsError[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || found.includes(value)) return;
    const one = value as KafkaJsError;
    found.push(one);
    visit(one.cause);
    if (Array.isArray(one.errors)) for (const part of one.errors) visit(part);
  };
  visit(error);
  return found;
}
