/** The longest name of a TestRun: `-initializer` is added to it, and a label takes 63 characters. */
export const MAX_NAME_LENGTH = 51;

/** What the API server takes as the values of one ConfigMap, in bytes; keys and metadata do not count. */
export const MAX_SCRIPT_BYTES = 1_048_576;

/** The API server reads 3 MiB of a request; the rest of the ConfigMap's JSON is given 4 KiB of them. */
export const MAX_SCRIPT_JSON_BYTES = 3 * 1_048_576 - 4096;

export const MIN_PARALLELISM = 1;
export const MAX_PARALLELISM = 10;

export const MAX_ARGUMENTS = 100;
export const MAX_ARGUMENT_LENGTH = 1024;

/**
 * The initializer's shell command is one argument of a program, of which Linux takes 131,071 bytes. It holds all
 * arguments and, with up to two bytes for one, all of `env`: 16 KiB + 2 × 48 KiB leave 16 KiB for the rest of it.
 */
export const MAX_ARGUMENTS_BYTES = 16 * 1024;
export const MAX_ENV_BYTES = 48 * 1024;
export const MAX_ENV_VALUE_BYTES = 32 * 1024;
export const MAX_ENV_NAMES = 100;
