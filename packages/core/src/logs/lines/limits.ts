/** The longest line that is kept in one piece, in bytes. Of a longer one every further MiB is a line of its own, all but the last marked as unfinished. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** A container runtime writes a longer line in pieces of this many bytes (containerd, `max_container_log_line_size`). */
export const PIECE_BYTES = 16 * 1024;
