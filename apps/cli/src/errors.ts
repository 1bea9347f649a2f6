import { isTailraceError } from "@tailrace/client";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** The command line, or a file that it names, is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What is said about a failure, and how the program ends because of it. */
export interface Failure {
  /** One sentence, then one line for each wrong field. */
  lines: string[];
  code: ExitCode;
}

/** Explains an expected failure; null for an error of the program itself. */
export function explainFailure(error: unknown): Failure | null {
  if (error instanceof UsageError) return { lines: [error.message], code: EXIT.usage };
  if (!isTailraceError(error)) return null;
  return { lines: [sentence(error.code, error.message), ...fieldLines(error.message, error.issues)], code: EXIT.api };
}

function sentence(code: string, message: string): string {
  switch (code) {
    case "NETWORK":
      return `${message}. Is a server running there? TAILRACE_URL or --url names another one.`;
    case "UNAUTHORIZED":
      return `${message}. TAILRACE_TOKEN or --token gives the token.`;
    default:
      return message;
  }
}

/** What the message does not say already. */
function fieldLines(said: string, issues: readonly { path: string; message: string }[]): string[] {
  return issues
    .filter(({ message }) => !said.includes(message))
    .map(({ path, message }) => (path === "" || message.startsWith(path) ? `  ${message}` : `  ${path}: ${message}`));
}
