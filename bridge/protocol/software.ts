/** Name and version of this software, as it says in hellos, results and exports. */

/** Written in by the build, and by the configuration of the tests. */
// oxlint-disable-next-line no-underscore-dangle -- a name that nothing else can have
declare const __SOFTWARE_VERSION__: string;

export const SOFTWARE = `haloscope ${__SOFTWARE_VERSION__}`;
