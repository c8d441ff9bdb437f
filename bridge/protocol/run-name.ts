/**
 * Names of runs: 1 to 64 of `A-Za-z0-9._-`, given by people; and with a suffix `~2`, `~3`, … that only the
 * bridge adds, when a sender has started over under the same name.
 *
 * A name of nothing but dots is refused, because `.` and `..` cannot be asked for in a URL.
 */

const GIVEN_NAME = /^(?!\.+$)[A-Za-z0-9._-]{1,64}$/;
const CONTINUED_NAME = /^((?!\.+~)[A-Za-z0-9._-]{1,64})~([2-9]|[1-9][0-9]{1,5})$/;

/** Continuations of one name that six digits can count. */
export const MAX_GENERATION = 999_999;

/** 64 of the given name, `~` and six digits. */
export const MAX_RUN_NAME_LENGTH = 71;

/** Whether a person, or a sender's header, may call a run so. */
export const isGivenRunName = (name: string): boolean => GIVEN_NAME.test(name);

/** Whether a run can be called so, the bridge's own suffix included. */
export const isRunName = (name: string): boolean => GIVEN_NAME.test(name) || CONTINUED_NAME.test(name);

/** The name without the bridge's suffix. */
export const givenRunName = (name: string): string => CONTINUED_NAME.exec(name)?.[1] ?? name;

/** The name for the next start under the same name: `a` → `a~2` → `a~3`. */
export function nextRunName(name: string): string {
  const continued = CONTINUED_NAME.exec(name);
  return continued === null ? `${name}~2` : `${continued[1]}~${Number(continued[2]) + 1}`;
}
